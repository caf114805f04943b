#include "expect.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/watch.h"
#include "batch.h"
#include "dispatcher.h"
#include "spool/early.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

/* How soon is looked again at what is being routed: where it goes makes no event here. */
enum { ROUTING_US = 1000000 };

static bool has(const struct disk_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->name[i], name) == 0)
			return true;
	return false;
}

static void await(struct dispatcher *d, const char *batch)
{
	if (!has(&d->expect.awaited, batch) && disk_names_add(&d->expect.awaited, batch) < 0)
		die(EXIT_TEMPORARY, "out of memory");
}

int expect_watch(struct expect *expect)
{
	char path[300];
	int result = 0;

	disk_names_free(&expect->watched);
	expect->watched = expect->awaited;
	expect->awaited = (struct disk_names){ 0 };
	for (size_t i = 0; i < expect->watched.count; i++) {
		(void)snprintf(path, sizeof(path), "incoming/%s/", expect->watched.name[i]);
		if (watch_keep(path, IN_MOVED_TO | IN_MOVE_SELF) < 0 && errno != ENOENT)
			result = -1;
	}
	return result;
}

bool expect_missed(const struct expect *expect)
{
	for (size_t i = 0; i < expect->awaited.count; i++)
		if (!has(&expect->watched, expect->awaited.name[i]))
			return true;
	return false;
}

/* ledger_take */
static void count_stored(void *context, const struct ledger_line *line)
{
	*(size_t *)context += line->stored;
}

/* Nobody will take it over any more. Who has it locked is a dispatcher that does, or removes it. */
static void forget(struct dispatcher *d, const struct queue *queue, const char *entry)
{
	int dir = disk_lock_dir(queue->outgoing, entry, LOCK_EX | LOCK_NB);
	char job[QUEUE_NAME_SIZE], count[24];
	size_t stored = 0;

	if (dir < 0) {
		queue_look_failed(d);
		return;
	}
	(void)snprintf(job, sizeof(job), "%.*s", (int)job_ahead(entry), entry);
	if (ledger_read(dir, queue->target->name, count_stored, &stored) == 0 && stored > 0) {
		(void)snprintf(count, sizeof(count), "%zu", stored);
		journal_write(&d->spool, "sent-ahead", "job", job, "target", queue->target->name,
			"images", count, NULL);
	}
	log_warning("its job does not come, what was sent stays sent job=%s target=%s images=%zu",
		job, queue->target->name, stored);
	if (early_take_over(queue->outgoing, entry, dir, -1) < 0) {
		log_error("unable to remove outgoing/%s/%s: %s; it is tried again",
			queue->target->name, entry, strerror(errno));
		queue_rest(d, queue->target, entry);
	}
	(void)close(dir); /* releases the lock */
}

/* Where the job may be, in the order of its way: what moves on meanwhile is seen twice. */
static void look_for_job(struct dispatcher *d, const struct queue *queue, const char *entry)
{
	char name[QUEUE_NAME_SIZE];
	int there;

	(void)snprintf(name, sizeof(name), "%.*s", (int)job_base(entry), entry);
	there = disk_exists(d->spool.dir[SPOOL_ROUTING], name);
	if (there != 0) {
		loop_at(&d->loop, clock_now_us() + ROUTING_US);
		return;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)job_ahead(entry), entry);
	if (disk_exists(queue->outgoing, name) == 0 && disk_exists(queue->sending, name) == 0)
		forget(d, queue, entry);
}

static void look_failed(struct dispatcher *d, const struct queue *queue, const char *entry)
{
	if (queue_look_failed(d))
		log_error("unable to see what outgoing/%s/%s is to send: %s; it is tried again",
			queue->target->name, entry, strerror(errno));
}

bool expect_more(struct dispatcher *d, const struct queue *queue, const char *entry)
{
	int dir = disk_open_dir(queue->outgoing, entry);
	struct batch batch;
	bool more = false;

	if (dir < 0) {
		queue_look_failed(d);
		return false;
	}
	switch (batch_open(&batch, &d->spool, queue->target, entry, dir)) {
	case BATCH_THERE:
		more = !job_is_cancelled(dir) && batch_has(&batch);
		if (!more)
			await(d, batch.name);
		break;
	case BATCH_UNDECIDED:
		await(d, batch.name);
		break;
	case BATCH_GONE:
		look_for_job(d, queue, entry);
		break;
	case BATCH_UNKNOWN:
		look_failed(d, queue, entry);
		break;
	}
	batch_close(&batch);
	(void)close(dir); /* only read */
	return more;
}
