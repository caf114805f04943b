#include "answers.h"

#include "blame.h"
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

/* A duplicate (0111) is ours when a sender has said that an earlier try of this image may have
 * arrived, and no other image of the job has its UID: "<UID>~2.dcm". What a sender that was killed
 * had sent nobody knows: its images may be the target's from elsewhere. */
static bool is_ours(const struct answers *answers, const struct image *image)
{
	size_t length = strcspn(image->name, "~"), same = 0;
	const char *end = strstr(image->name, ".dcm");

	if (!image->name[length] && end)
		length = (size_t)(end - image->name);
	for (size_t i = 0; i < answers->count; i++) {
		const char *name = answers->image[i].name;

		same += strncmp(name, image->name, length) == 0 && strchr("~.", name[length]) &&
			(name[length] == '~' || strcmp(name + length, ".dcm") == 0);
	}
	return image->in_doubt && same == 1;
}

/* Something was stored: whoever was refused for want of resources before is alone with that. */
static void set_alone(struct answers *answers)
{
	for (size_t i = 0; answers->no_room > 0 && i < answers->count; i++) {
		struct image *image = &answers->image[i];

		if (!image->no_room)
			continue;
		image->no_room = false;
		image->alone = true;
		image->failures++;
		answers->no_room--;
	}
}

static void refused(struct answers *answers, struct image *image, const char *status)
{
	if (!blame_is_no_room(status) || image->alone) {
		image->failures++;
	} else if (!image->no_room) {
		image->no_room = true;
		answers->no_room++;
	}
}

static void note(struct answers *answers, struct image *image, enum said_of said,
	const char *status, const char *text)
{
	if (image->no_room && said != SAID_DOUBT) {
		image->no_room = false;
		answers->no_room--;
	}
	(void)snprintf(image->status, sizeof(image->status), "%s", status);
	(void)snprintf(image->text, sizeof(image->text), "%s", text);
	if (said == SAID_DOUBT) {
		image->in_doubt = true;
		return;
	}
	image->tries++;
	if (said != SAID_STORED) {
		image->refused_for_good |= said == SAID_NEVER;
		refused(answers, image, status);
	} else {
		image->stored = true;
		set_alone(answers);
	}
}

/* ledger_take */
static void take(void *context, const struct ledger_line *line)
{
	struct image *image = answers_find(context, line->image);
	enum said_of said = line->doubt    ? SAID_DOUBT
			    : line->stored ? SAID_STORED
			    : line->never  ? SAID_NEVER
					   : SAID_FAILED;

	if (!image)
		return;
	note(context, image, said, line->status, line->text);
	image->suspected += line->doubt;
}

int answers_take(struct answers *answers, struct disk_names *names)
{
	*answers = (struct answers){ 0 };
	answers->image = calloc(names->count + 1, sizeof(*answers->image));
	if (!answers->image) {
		disk_names_free(names);
		errno = ENOMEM;
		return -1;
	}
	answers->count = names->count;
	for (size_t i = 0; i < names->count; i++)
		answers->image[i].name = names->name[i];
	free(names->name); /* its strings belong to the images now */
	return 0;
}

int answers_load(const struct claimed *claimed, struct answers *answers)
{
	struct disk_names names;

	*answers = (struct answers){ 0 };
	if (job_images(claimed->dir, &names) < 0 || answers_take(answers, &names) < 0)
		return -1;
	return ledger_read(claimed->dir, claimed->target->name, take, answers);
}

void answers_free(struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++)
		free(answers->image[i].name);
	free(answers->image);
	*answers = (struct answers){ 0 };
}

void answers_begin(struct answers *answers)
{
	answers->listed = answers->answered = answers->doubted = 0;
	for (size_t i = 0; i < answers->count; i++) {
		struct image *image = &answers->image[i];

		image->answered = image->doubted = image->listed = false;
	}
}

static int append(const struct claimed *claimed, struct answers *answers, struct image *image,
	enum said_of said, const char *status, const char *text)
{
	struct ledger_line line = { .target = claimed->target->name,
		.stored = said == SAID_STORED,
		.never = said == SAID_NEVER,
		.doubt = said == SAID_DOUBT,
		.status = status,
		.image = image->name,
		.tries = image->tries + (said != SAID_DOUBT),
		.text = text };

	/* What the target itself has not refused is the job's: the batch may have moved on while
	 * its image was to be read. */
	if ((claimed->images < 0 || line.stored || line.doubt || strcmp(status, "-") != 0) &&
		ledger_append(claimed->dir, &line) < 0)
		return -1;
	note(answers, image, said, status, text);
	image->waits = said == SAID_FAILED || said == SAID_NEVER;
	return 0;
}

int answers_add(const struct claimed *claimed, struct answers *answers, struct image *image,
	enum said_of said, const char *status, const char *text)
{
	if (said == SAID_FAILED && blame_is_duplicate(status))
		said = is_ours(answers, image) ? SAID_STORED : SAID_NEVER;
	if (append(claimed, answers, image, said, status, text) < 0)
		return -1;
	if (said == SAID_DOUBT) {
		image->doubted = true;
		answers->doubted++;
	} else {
		image->answered = true;
		answers->answered++;
		answers->answered_all++;
		answers->stored_all += said == SAID_STORED;
	}
	return 0;
}

int answers_refuse(const struct claimed *claimed, struct answers *answers, struct image *image,
	const char *text)
{
	return append(claimed, answers, image, SAID_FAILED, "-", text);
}

int answers_give_up(const struct claimed *claimed, struct answers *answers, struct image *image)
{
	char status[sizeof(image->status)], text[sizeof(image->text)];

	(void)snprintf(status, sizeof(status), "%s", *image->status ? image->status : "-");
	(void)snprintf(text, sizeof(text), "%s", *image->text ? image->text : "not answered");
	return append(claimed, answers, image, SAID_NEVER, status, text);
}
