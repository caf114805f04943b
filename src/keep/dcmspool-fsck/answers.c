#include "answers.h"

#include "base/log.h"
#include "spool/file.h"
#include "spool/ledger.h"

#include <stdio.h>
#include <string.h>

static const char not_stored[] =
	"the target has not said that it has this image, though the job lies in success/; "
	"move the directory to incoming/ to have it sent again";
static const char taken_away[] =
	"somebody has taken it out of the job after the target had stored it; "
	"if that was not meant, put it back";
static const char not_given[] =
	"the target did not take it, and it is not here: nobody has it, perhaps; "
	"look for it, or have its sender send it again";

static void take(void *context, const struct ledger_line *line)
{
	if (json_object_set_new(context, line->image, json_boolean(line->stored)) < 0)
		die(EXIT_TEMPORARY, "out of memory");
}

json_t *answers_load(int job, const char *target)
{
	json_t *answers = json_object();

	if (!answers)
		die(EXIT_TEMPORARY, "out of memory");
	(void)ledger_read(job, target, take, answers); /* without one there are no answers */
	return answers;
}

enum { TARGET_SIZE = 256 };

static void take_target(void *context, const struct ledger_line *line)
{
	(void)snprintf(context, TARGET_SIZE, "%s", line->target);
}

static bool is_there(const struct disk_names *names, const char *image)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->name[i], image) == 0)
			return true;
	return false;
}

/* Images that the ledger speaks of, and that have to be there. What was given up lies in error/,
 * what was stored does not. */
static void check_there(struct look *look, bool given_up, const json_t *answers, const char *path,
	const struct disk_names *names)
{
	const char *image;
	json_t *stored;

	json_object_foreach ((json_t *)answers, image, stored)
		if (given_up != json_is_true(stored) && !is_there(names, image))
			findings_add(look->found, given_up ? not_given : taken_away, path,
				"%s was %s, but is not there", image,
				given_up ? "given up" : "stored");
}

/* In success/ everything was stored. */
static void check_stored(
	struct look *look, const json_t *answers, const char *path, const struct disk_names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *image = names->name[i];

		if (file_is_image(image) && !json_is_true(json_object_get(answers, image)))
			findings_add(look->found, not_stored, path,
				"%s has no answer in sent.log that says success", image);
	}
}

void answers_check(struct look *look, enum state_place place, int dir, const char *path,
	const struct disk_names *names)
{
	char target[TARGET_SIZE] = "";
	json_t *answers;

	if (ledger_exists(dir) != 1)
		return; /* none was sent, or that is a finding of its own */
	(void)ledger_read(dir, NULL, take_target, target); /* the one it was sent to last */
	answers = answers_load(dir, target);
	check_there(look, place == STATE_GIVEN_UP, answers, path, names);
	if (place == STATE_STORED)
		check_stored(look, answers, path, names);
	json_decref(answers);
}
