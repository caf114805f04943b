#include "finish.h"

#include "base/log.h"
#include "dispatcher.h"
#include "given_up.h"
#include "spool/ended.h"
#include "spool/file.h"
#include "spool/ledger.h"
#include "spool/reason.h"
#include "split.h"

#include <stdio.h>
#include <unistd.h>

/* Moves the whole job to success/, discard/ or error/. made may be NULL. */
static int move_job(
	struct dispatcher *d, const struct claimed *job, enum spool_dir to, char *made, size_t size)
{
	char name[SPLIT_NAME_SIZE];

	split_name(job, name, sizeof(name));
	if (retry_remove(job->dir) < 0 || file_remove(job->dir, FILE_TOLD) < 0 ||
		(to != SPOOL_ERROR && file_remove(job->dir, FILE_REASON) < 0) ||
		ledger_sync(job->dir) < 0 || fsync(job->dir) < 0)
		return -1;
	return disk_rename_unique(job->sending, job->job, d->spool.dir[to], name, made, size);
}

/* The journal's last line about a job that has come to rest in dir; if it is not there, somebody
 * writes it again some time. */
static void tell(struct dispatcher *d, const struct claimed *job, int dir, const char *outcome,
	size_t images)
{
	struct ended ended = { .outcome = outcome, .job = job->job, .target = job->target->name };

	(void)snprintf(ended.images, sizeof(ended.images), "%zu", images);
	(void)ended_say(&d->spool, &ended, dir, NULL);
}

/* The same for what was split off, or went there as a whole. */
static void tell_error(
	struct dispatcher *d, const struct claimed *job, const char *name, size_t images)
{
	int dir = disk_open_dir(d->spool.dir[SPOOL_ERROR], name);

	tell(d, job, dir, "failed", images);
	if (dir >= 0)
		(void)close(dir); /* only used as a base */
}

/* That a job is hopeless nobody knows any more after a crash; what was given up must be known then,
 * or a split could not be completed. */
static int note_hopeless(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->answers.count; i++) {
		struct image *image = &attempt->answers.image[i];

		if (given_up_is(attempt, image) && !given_up_by_ledger(attempt, image) &&
			answers_give_up(attempt->claimed, &attempt->answers, image) < 0)
			return -1;
	}
	return 0;
}

/* Has the job images that were not listed? Whoever copies a directory into a queue may go on after
 * its claim. -1 with errno. */
static int has_more(const struct attempt *attempt)
{
	struct disk_names images;
	int more = 0;

	if (job_images(attempt->claimed->dir, &images) < 0)
		return -1;
	for (size_t i = 0; i < images.count; i++)
		more |= !answers_find(&attempt->answers, images.name[i]);
	disk_names_free(&images);
	return more;
}

int finish_done(struct dispatcher *d, struct attempt *attempt)
{
	const struct claimed *job = attempt->claimed;
	const char *target = job->target->name;
	size_t given_up = given_up_count(attempt);
	size_t stored = attempt->answers.count - given_up;
	char in_error[SPLIT_NAME_SIZE];
	int result = has_more(attempt);

	if (result > 0) {
		log_info("more images came, they are sent, too job=%s target=%s", job->job, target);
		return finish_back(attempt);
	}
	if (result < 0)
		return -1;
	if (given_up == 0)
		result = move_job(d, job, SPOOL_SUCCESS, NULL, 0);
	else if (stored == 0)
		result = given_up_tell(attempt, job->dir) < 0
				 ? -1
				 : move_job(d, job, SPOOL_ERROR, in_error, sizeof(in_error));
	else
		result = (job->hopeless.is && note_hopeless(attempt) < 0) ||
					 split_job(&d->spool, attempt, in_error, sizeof(in_error)) <
						 0
				 ? -1
				 : move_job(d, job, SPOOL_SUCCESS, NULL, 0);
	if (result < 0)
		return -1;
	if (stored > 0) {
		log_info("sent job=%s target=%s images=%zu", job->job, target, stored);
		tell(d, job, job->dir, "sent", stored);
	}
	if (given_up > 0) {
		log_error("given up, see error/%s/reason.txt job=%s target=%s images=%zu", in_error,
			job->job, target, given_up);
		tell_error(d, job, in_error, given_up);
	}
	return 0;
}

int finish_empty(struct dispatcher *d, struct attempt *attempt)
{
	static const char reason[] = "This job holds no image (no file NAME.dcm).\n";
	const struct claimed *job = attempt->claimed;

	if (reason_store(job->dir, reason, sizeof(reason) - 1) < 0 ||
		move_job(d, job, SPOOL_ERROR, NULL, 0) < 0)
		return -1;
	log_error("a job without images, moved to error job=%s target=%s", job->job,
		job->target->name);
	tell(d, job, job->dir, "failed", 0);
	return 0;
}

int finish_cancelled(struct dispatcher *d, struct attempt *attempt)
{
	const struct claimed *job = attempt->claimed;
	struct disk_names images = { 0 };

	if (move_job(d, job, SPOOL_DISCARD, NULL, 0) < 0)
		return -1;
	log_info("cancelled job=%s target=%s", job->job, job->target->name);
	if (job_images(job->dir, &images) == 0) /* else it is told again, and counted then */
		tell(d, job, job->dir, "cancelled", images.count);
	disk_names_free(&images);
	return 0;
}

static int put_back(const struct claimed *job)
{
	if (ledger_sync(job->dir) < 0)
		return -1;
	return disk_rename(job->sending, job->job, job->queue, job->job);
}

int finish_back(struct attempt *attempt)
{
	return retry_remove(attempt->claimed->dir) < 0 ? -1 : put_back(attempt->claimed);
}

int finish_later(struct attempt *attempt)
{
	return retry_store(attempt->claimed->dir, &attempt->retry) < 0 ? -1
								       : put_back(attempt->claimed);
}
