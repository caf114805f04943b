/*
 * The new name commits: until then the job is made ready once more, which changes nothing.
 */
#include "again.h"

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
	bool any = false;

	for (size_t i = 0; i < queue->waiting_names.count; i++) {
		const char *name = queue->waiting_names.name[i];
		size_t length = queue_is_job(name) ? job_ended(name) : 0;

		if (length > 0 && !queue_is_resting(d, queue->target, name))
			any |= again(d, queue, name, length);
	}
	return any;
}
