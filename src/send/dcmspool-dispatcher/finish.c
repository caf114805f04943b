#include "dispatcher.h"

#include "spool/job.h"
#include "spool/journal.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 400 };

/* "<job>.<target>", the name in success/ and error/. */
static void final_name(const struct work *work, char *out, size_t size)
{
	(void)snprintf(out, size, "%s.%s", work->job, work->target->name);
}

bool finish_given_up(const struct work *work, const struct image *image)
{
	return !image->stored && (work->give_up || image->failures >= work->target->image_retries);
}

static size_t count_given_up(const struct work *work)
{
	size_t n = 0;

	for (size_t i = 0; i < work->image_count; i++)
		n += finish_given_up(work, &work->images[i]);
	return n;
}

/* Why images were given up, in one sentence. */
static void say_why(const struct work *work, struct buf *text)
{
	const struct conf_target *target = work->target;
	size_t given_up = count_given_up(work);
	char stamp[SPOOL_STAMP_SIZE];

	if (!work->give_up) {
		buf_printf(text,
			"Target %s did not take %zu of %zu images, each tried %ld times; these lie "
			"here:\n",
			target->name, given_up, work->image_count, target->image_retries);
		return;
	}
	spool_stamp(work->failing_since_us, stamp, sizeof(stamp));
	buf_printf(text,
		"Target %s could not be used for these images since %s (last: %s), longer than its "
		"give_up allows. These %zu of %zu were not sent:\n",
		target->name, stamp, work->failing_reason, given_up, work->image_count);
}

static int write_reason(const struct work *work, int dir)
{
	struct buf text = { 0 };
	int result;

	say_why(work, &text);
	for (size_t i = 0; i < work->image_count; i++)
		if (finish_given_up(work, &work->images[i]))
			buf_printf(&text, "%s: %s %s\n", work->images[i].name,
				*work->images[i].status ? work->images[i].status : "-",
				*work->images[i].text ? work->images[i].text : "not answered");
	buf_puts(&text,
		"To route them again, by the rules of now: move this directory to incoming/.\n");
	result = text.failed ? (errno = ENOMEM, -1)
			     : disk_write_file(dir, "reason.txt", text.data, text.length);
	buf_free(&text);
	return result;
}

/* Moves the whole job to success/ or error/. */
static int move_job(struct dispatcher *d, struct work *work, enum spool_dir to)
{
	char name[NAME_SIZE];

	final_name(work, name, sizeof(name));
	if (disk_unlink(work->dir, "retry.json") < 0 || ledger_sync(work) < 0 ||
		fsync(work->dir) < 0)
		return -1;
	return disk_rename_unique(work->sending, work->job, d->spool.dir[to], name,
		to == SPOOL_ERROR ? work->in_error : NULL, sizeof(work->in_error));
}

static int link_into(const struct work *work, int to, const char *name)
{
	if (linkat(work->dir, name, to, name, 0) == 0 || errno == EEXIST || errno == ENOENT)
		return 0;
	return -1;
}

/* Fills .failed with links of the images that were given up and of what explains them. */
static int fill_failed(const struct work *work, int failed)
{
	static const char *const explaining[] = { "series.json", "job.json", "plan.json",
		"sent.log" };

	for (size_t i = 0; i < work->image_count; i++)
		if (finish_given_up(work, &work->images[i]) &&
			link_into(work, failed, work->images[i].name) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(explaining) / sizeof(explaining[0]); i++)
		if (link_into(work, failed, explaining[i]) < 0)
			return -1;
	return write_reason(work, failed);
}

/* An image of the job that lies in error/ as well goes from the job: the split was committed. */
static int drop_committed(const struct work *work, int error_dir)
{
	struct disk_names images;
	struct stat here, there;
	int result = job_images(error_dir, &images);

	for (size_t i = 0; result == 0 && i < images.count; i++) {
		const char *name = images.name[i];

		if (fstatat(error_dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
			fstatat(work->dir, name, &here, AT_SYMLINK_NOFOLLOW) == 0 &&
			disk_same_file(&here, &there))
			result = disk_unlink(work->dir, name);
	}
	disk_names_free(&images);
	return result;
}

/* Removes a .failed that was never committed: links only, their images are in the job. */
static int drop_uncommitted(const struct work *work)
{
	struct disk_names names;
	int dir = disk_open_dir(work->dir, ".failed"), result = 0;

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	result = disk_list(dir, ".", &names);
	for (size_t i = 0; result == 0 && i < names.count; i++)
		result = disk_unlink(dir, names.name[i]);
	disk_names_free(&names);
	(void)close(dir); /* only used as a base */
	return result < 0 ? -1 : unlinkat(work->dir, ".failed", AT_REMOVEDIR);
}

/* The split may have found its name in error/ taken, and have taken name~2, name~3 ... : looks at
 * all. */
static int drop_all_committed(struct dispatcher *d, const struct work *work)
{
	char name[NAME_SIZE], numbered[NAME_SIZE + 16];
	int error_dir, result = 0;

	final_name(work, name, sizeof(name));
	for (int i = 1; result == 0; i++) {
		if (i == 1)
			(void)snprintf(numbered, sizeof(numbered), "%s", name);
		else
			(void)snprintf(numbered, sizeof(numbered), "%s~%d", name, i);
		error_dir = disk_open_dir(d->spool.dir[SPOOL_ERROR], numbered);
		if (error_dir < 0)
			return errno == ENOENT ? 0 : -1;
		result = drop_committed(work, error_dir);
		(void)close(error_dir); /* only used as a base */
	}
	return result;
}

int finish_resume(struct dispatcher *d, struct work *work)
{
	return drop_uncommitted(work) < 0 ? -1 : drop_all_committed(d, work);
}

/* The images that were given up become error/<job>.<target>; the rest stays, to be a success. */
static int split(struct dispatcher *d, struct work *work)
{
	char name[NAME_SIZE];
	int failed, result;

	if (disk_make_dir(work->dir, ".failed") < 0) /* finish_resume() has removed an old one */
		return -1;
	failed = disk_open_dir(work->dir, ".failed");
	if (failed < 0)
		return -1;
	final_name(work, name, sizeof(name));
	result = fill_failed(work, failed);
	if (result == 0)
		result = fsync(failed);
	if (result == 0)
		result = disk_rename_unique(work->dir, ".failed", d->spool.dir[SPOOL_ERROR], name,
			work->in_error, sizeof(work->in_error));
	if (result == 0)
		result = drop_committed(work, failed);
	(void)close(failed); /* only used as a base */
	return result;
}

int finish_done(struct dispatcher *d, struct work *work)
{
	size_t given_up = count_given_up(work);
	size_t stored = work->image_count - given_up;
	char count[24], refused[24];
	int result = 0;

	if (given_up > 0 && stored > 0)
		result = split(d, work);
	else if (given_up > 0)
		result = write_reason(work, work->dir);
	if (result == 0)
		result = move_job(
			d, work, stored > 0 || given_up == 0 ? SPOOL_SUCCESS : SPOOL_ERROR);
	if (result < 0)
		return -1;
	(void)snprintf(count, sizeof(count), "%zu", stored);
	(void)snprintf(refused, sizeof(refused), "%zu", given_up);
	if (stored > 0) {
		log_info("sent job=%s target=%s images=%s", work->job, work->target->name, count);
		journal_write(&d->spool, "sent", "job", work->job, "target", work->target->name,
			"images", count, NULL);
	}
	if (given_up > 0) {
		log_error("given up, see error/%s/reason.txt job=%s target=%s images=%s",
			work->in_error, work->job, work->target->name, refused);
		journal_write(&d->spool, "failed", "job", work->job, "target", work->target->name,
			"images", refused, NULL);
	}
	return 0;
}

int finish_empty(struct dispatcher *d, struct work *work)
{
	static const char reason[] = "This job holds no image (no file NAME.dcm).\n";

	log_error("a job without images, moved to error job=%s target=%s", work->job,
		work->target->name);
	journal_write(&d->spool, "failed", "job", work->job, "target", work->target->name, "images",
		"0", NULL);
	if (disk_write_file(work->dir, "reason.txt", reason, sizeof(reason) - 1) < 0)
		return -1;
	return move_job(d, work, SPOOL_ERROR);
}

bool finish_is_cancelled(const struct work *work)
{
	return disk_exists(work->dir, "cancelled") == 1;
}

int finish_cancelled(struct dispatcher *d, struct work *work)
{
	if (move_job(d, work, SPOOL_DISCARD) < 0)
		return -1;
	log_info("cancelled job=%s target=%s", work->job, work->target->name);
	journal_write(&d->spool, "cancelled", "job", work->job, "target", work->target->name, NULL);
	return 0;
}
