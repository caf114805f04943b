/*
 * The new name commits: until then the job is made ready once more, which changes nothing.
 */
#include "again.h"

#include "base/clock.h"
#include "base/log.h"
#include "dispatcher.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/ledger.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* So many in one go: others choose in between. */
enum { MOST = 64 };

/* Whatever the job's earlier way has left; its ledger keeps what the targets said. */
static int make_ready(int dir, const char *target)
{
	static const enum file spent[] = { FILE_RETRY, FILE_REASON, FILE_CANCELLED, FILE_TOLD };

	if (ledger_again(dir, target) < 0 || ledger_sync(dir) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(spent) / sizeof(spent[0]); i++)
		if (file_remove(dir, spent[i]) < 0)
			return -1;
	return fsync(dir);
}

static bool again(struct dispatcher *d, const struct queue *queue, const char *name, size_t length)
{
	int dir = disk_lock_dir(queue->outgoing, name, LOCK_EX | LOCK_NB), result;
	char job[QUEUE_NAME_SIZE] = "", made[QUEUE_NAME_SIZE + 16], count[JOB_COUNT_SIZE];

	if (dir < 0) {
		queue_look_failed(d); /* whoever has it lets it go without an event */
		return false;
	}
	if (!queue_is_quiet(d, dir)) {
		(void)close(dir); /* releases the lock */
		return false;
	}
	memcpy(job, name, length);
	job_count(dir, count);
	/* Before the ledger says so: that its end tells of one time more than was told is a sign of
	 * a line that is missing. After a crash it stands there twice. */
	journal_write(&d->spool, "requeued", "job", job, "target", queue->target->name, "from",
		name, "images", count, NULL);
	result = make_ready(dir, queue->target->name);
	if (result == 0)
		result = disk_rename_unique(
			queue->outgoing, name, queue->outgoing, job, made, sizeof(made));
	if (result == 0) {
		log_info("to be sent again job=%s target=%s was=%s", made, queue->target->name,
			name);
	} else {
		log_error("unable to send outgoing/%s/%s again: %s; it is tried again",
			queue->target->name, name, strerror(errno));
		queue_rest(d, queue->target, name);
	}
	(void)close(dir); /* releases the lock */
	return result == 0;
}

bool again_all(struct dispatcher *d, const struct queue *queue)
{
	int64_t grace_us = (int64_t)d->conf->router.association_grace_ms * 1000;
	int made = 0;

	for (struct waiting *w = roll_first(queue->roll, ROLL_ENDED); w && made < MOST;
		w = roll_next(queue->roll, w)) {
		int64_t due_us = w->retry.not_before_us;

		if (due_us != 0 && !clock_is_due(due_us, grace_us)) {
			loop_at(&d->loop, due_us);
		} else if (!queue_is_resting(d, queue->target, w->name)) {
			w->retry.not_before_us = clock_now_us() + grace_us; /* if it is not quiet */
			made += again(d, queue, w->name, job_ended(w->name));
		}
	}
	return made > 0;
}
