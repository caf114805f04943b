#include "content.h"

#include "answers.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "dicom/dicom.h"
#include "spool/file.h"
#include "spool/filed.h"
#include "spool/job.h"
#include "spool/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char damaged[] =
	"dcmspool goes on as if it were not there; look at it, then remove it";
static const char empty[] = "nothing of the image is left, and a target refuses it; "
			    "have its sender send it again, and remove it";
static const char cut[] = "a target may refuse it, or store a part as the whole; "
			  "have its sender send it again, and move this one out of the spool";
static const char changed[] = "it is not as it was received, and goes to error/ when it is routed "
			      "unless it is whole; have its sender send it again";
static const char lost_of_plan[] = "somebody has taken them away since the rules decided on them; "
				   "put them back, or have the sender send the series again";
static const char lost_of_job[] =
	"somebody has taken them away, and they were sent to nobody from here; "
	"put them back, or have the sender send the series again";
static const char no_target[] = "its jobs wait for ever; "
				"configure the target, or move them to incoming/";

static bool is_json(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

static void check_json(
	struct look *look, const struct state *row, int dir, const char *path, const char *name)
{
	json_t *json = jsonfile_load(dir, name);

	if (!json && errno == EINVAL)
		findings_add(look->found, row->text ? row->text : damaged, path, "is damaged");
	else if (!json)
		look_failed(look, path);
	json_decref(json);
}

static void read_image(struct look *look, int dir, const char *path, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct dicom_error error = { 0 };

	if (fd < 0) {
		look_failed(look, path);
		return;
	}
	if (dicom_walk(fd, &error) < 0 && error.number == 0)
		findings_add(look->found, cut, path, "is not whole: %s", error.text);
	errno = error.number;
	if (errno != 0)
		look_failed(look, path);
	(void)close(fd); /* only read */
}

void content_check_file(struct look *look, const struct state *row, int dir, const char *path,
	const char *name, const struct stat *st)
{
	bool image = file_is_image(name) && row->place != STATE_ASSOCIATION;

	look->images += image;
	if (is_json(row->name))
		check_json(look, row, dir, path, name);
	else if (image && st->st_size == 0)
		findings_add(look->found, empty, path, "is empty");
	else if (image && look->read_images)
		read_image(look, dir, path, name);
}

/* Has an image another size than when it was received, in this boot? One without a line was brought
 * by hand, and is read when it is routed. */
static void check_filed(struct look *look, int dir, const char *path)
{
	struct filed filed;
	struct stat st;

	if (filed_load(dir, &filed) < 0)
		return; /* said by its row, or it cannot be known now */
	for (size_t i = 0; i < filed.count; i++) {
		const struct filed_line *line = &filed.line[i];

		if (line->now && fstatat(dir, line->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			st.st_size != line->size)
			findings_add(look->found, changed, path, "%s has %lld bytes, not %lld",
				line->name, (long long)st.st_size, line->size);
	}
	filed_free(&filed);
}

static size_t count_images(const struct disk_names *names)
{
	size_t count = 0;

	for (size_t i = 0; i < names->count; i++)
		count += file_is_image(names->name[i]);
	return count;
}

/* As long as there is no fanout/, the images are all there, or none any more: the copies for
 * several targets have gone. */
static void check_plan(struct look *look, int dir, const char *path, const struct disk_names *names)
{
	size_t there = count_images(names), planned;
	json_t *plan = plan_load(dir);
	bool gone = there == 0 && json_array_size(plan_targets(plan)) > 1;

	planned = (size_t)json_integer_value(plan_images(plan));
	if (plan && !gone && there < planned && file_exists(dir, FILE_FANOUT) == 0)
		findings_add(look->found, lost_of_plan, path, "%zu of %zu images are missing",
			planned - there, planned);
	json_decref(plan);
}

/* Those of the job that are neither there nor in its ledger. */
static void check_job(struct look *look, int dir, const char *path, const struct disk_names *names)
{
	json_t *job = job_load(dir), *known = answers_load(dir, NULL);
	size_t all = (size_t)json_integer_value(json_object_get(job, "images"));

	for (size_t i = 0; i < names->count; i++)
		if (file_is_image(names->name[i]))
			(void)json_object_set_new(known, names->name[i], json_null());
	if (json_object_size(known) < all)
		findings_add(look->found, lost_of_job, path, "%zu of %zu images are missing",
			all - json_object_size(known), all);
	json_decref(known);
	json_decref(job);
}

/* A queue whose target nobody sends to. */
static void check_queue(struct look *look, const char *path, const struct disk_names *names)
{
	const char *target = strchr(path, '/');
	size_t jobs = 0;

	for (size_t i = 0; i < names->count; i++)
		jobs += job_base(names->name[i]) > 0;
	if (target && jobs > 0 && !conf_target(look->conf, target + 1))
		findings_add(look->found, no_target, path,
			"holds %zu jobs, but %s has no such target", jobs, look->conf->file);
}

void content_check(struct look *look, enum state_place place, int dir, const char *path,
	const struct disk_names *names)
{
	switch (place) {
	case STATE_BATCH:
		check_filed(look, dir, path);
		break;
	case STATE_PLANNED:
		check_plan(look, dir, path, names);
		break;
	case STATE_QUEUE:
		check_queue(look, path, names);
		break;
	case STATE_COPY:
	case STATE_AGAIN:
		check_job(look, dir, path, names);
		break;
	case STATE_WAITING:
	case STATE_AT_SENDER:
	case STATE_STORED:
	case STATE_DISCARDED:
	case STATE_GIVEN_UP:
		check_job(look, dir, path, names);
		answers_check(look, place, dir, path, names);
		break;
	default:
		break;
	}
}
