#include "answers.h"

#include "claim.h"
#include "spool/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *key, const void *element)
{
	return strcmp(key, ((const struct image *)element)->name);
}

struct image *answers_find(const struct answers *answers, const char *name)
{
	if (answers->count == 0)
		return NULL;
	return bsearch(name, answers->image, answers->count, sizeof(*answers->image), by_name);
}

bool answers_any(const struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		if (answers->image[i].answered)
			return true;
	return false;
}

static void note(struct image *image, bool stored, const char *status, const char *text)
{
	image->stored |= stored;
	image->failures += !stored;
	image->tries++;
	(void)snprintf(image->status, sizeof(image->status), "%s", status);
	(void)snprintf(image->text, sizeof(image->text), "%s", text);
}

static void take(void *context, const struct ledger_line *line)
{
	struct image *image = answers_find(context, line->image);

	if (image)
		note(image, line->stored, line->status, line->text);
}

int answers_load(const struct claimed *claimed, struct answers *answers)
{
	struct disk_names names;

	*answers = (struct answers){ 0 };
	if (job_images(claimed->dir, &names) < 0)
		return -1;
	answers->image = calloc(names.count + 1, sizeof(*answers->image));
	if (!answers->image) {
		disk_names_free(&names);
		errno = ENOMEM;
		return -1;
	}
	answers->count = names.count;
	for (size_t i = 0; i < names.count; i++)
		answers->image[i].name = names.name[i];
	free(names.name); /* its strings belong to the images now */
	return ledger_read(claimed->dir, claimed->target->name, take, answers);
}

void answers_free(struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		free(answers->image[i].name);
	free(answers->image);
}

int answers_add(const struct claimed *claimed, struct image *image, bool stored, const char *status,
	const char *text)
{
	struct ledger_line line = { .target = claimed->target->name,
		.stored = stored,
		.status = status,
		.image = image->name,
		.tries = image->tries + 1,
		.text = text };

	if (ledger_append(claimed->dir, &line) < 0)
		return -1;
	note(image, stored, status, text);
	image->answered = true;
	return 0;
}
