#include "finish.h"

#include "base/log.h"
#include "dispatcher.h"
#include "given_up.h"
#include "spool/journal.h"
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
	if (retry_remove(job->dir) < 0 || ledger_sync(job->dir) < 0 || fsync(job->dir) < 0)
		return -1;
	return disk_rename_unique(job->sending, job->job, d->spool.dir[to], name, made, size);
}

int finish_done(struct dispatcher *d, struct attempt *attempt)
{
	const struct claimed *job = attempt->claimed;
	const char *target = job->target->name;
	size_t given_up = given_up_count(attempt);
	size_t stored = attempt->answers.count - given_up;
	char count[24], refused[24], in_error[SPLIT_NAME_SIZE];
	int result;

	if (given_up == 0)
		result = move_job(d, job, SPOOL_SUCCESS, NULL, 0);
	else if (stored == 0)
		result = given_up_tell(attempt, job->dir) < 0
				 ? -1
				 : move_job(d, job, SPOOL_ERROR, in_error, sizeof(in_error));
	else
		result = split_job(&d->spool, attempt, in_error, sizeof(in_error)) < 0
				 ? -1
				 : move_job(d, job, SPOOL_SUCCESS, NULL, 0);
	if (result < 0)
		return -1;
	(void)snprintf(count, sizeof(count), "%zu", stored);
	(void)snprintf(refused, sizeof(refused), "%zu", given_up);
	if (stored > 0) {
		log_info("sent job=%s target=%s images=%s", job->job, target, count);
		journal_write(&d->spool, "sent", "job", job->job, "target", target, "images", count,
			NULL);
	}
	if (given_up > 0) {
		log_error("given up, see error/%s/reason.txt job=%s target=%s images=%s", in_error,
			job->job, target, refused);
		journal_write(&d->spool, "failed", "job", job->job, "target", target, "images",
			refused, NULL);
	}
	return 0;
}

int finish_empty(struct dispatcher *d, struct attempt *attempt)
{
	static const char reason[] = "This job holds no image (no file NAME.dcm).\n";
	const struct claimed *job = attempt->claimed;

	log_error("a job without images, moved to error job=%s target=%s", job->job,
		job->target->name);
	journal_write(&d->spool, "failed", "job", job->job, "target", job->target->name, "images",
		"0", NULL);
	if (reason_store(job->dir, reason, sizeof(reason) - 1) < 0)
		return -1;
	return move_job(d, job, SPOOL_ERROR, NULL, 0);
}

int finish_cancelled(struct dispatcher *d, struct attempt *attempt)
{
	const struct claimed *job = attempt->claimed;

	if (move_job(d, job, SPOOL_DISCARD, NULL, 0) < 0)
		return -1;
	log_info("cancelled job=%s target=%s", job->job, job->target->name);
	journal_write(&d->spool, "cancelled", "job", job->job, "target", job->target->name, NULL);
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
