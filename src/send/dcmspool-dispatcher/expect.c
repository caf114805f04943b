#include "expect.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/watch.h"
#include "arriving.h"
#include "dispatcher.h"
#include "spool/early.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

static struct expect_idle *find_idle(
	const struct expect *expect, const struct conf_target *target, const char *entry)
{
	for (size_t i = 0; i < expect->idle_count; i++)
		if (expect->idle[i].target == target && strcmp(expect->idle[i].entry, entry) == 0)
			return &expect->idle[i];
	return NULL;
}

/* Has the batch of an entry that had nothing to send the same lines as then? Then it need not be
 * read: with many series on their way each of their images would have all of them read. Returns the
 * batch's name, or NULL. */
static const char *idle_batch(struct dispatcher *d, const struct queue *queue, const char *entry)
{
	struct expect_idle *idle = find_idle(&d->expect, queue->target, entry);
	char path[300];
	struct stat st;

	if (!idle)
		return NULL;
	idle->seen = true;
	(void)snprintf(path, sizeof(path), "%s/%s", idle->batch, file_name(FILE_FILED));
	return fstatat(d->spool.dir[SPOOL_INCOMING], path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			       disk_same_file(&st, &idle->filed) &&
			       st.st_size == idle->filed.st_size
		       ? idle->batch
		       : NULL;
}

/* Without memory it is read again. A line without its image is no sign: that comes without another
 * one. */
static void note_idle(struct expect *expect, const struct queue *queue, const char *entry,
	const struct arriving *b)
{
	struct expect_idle *idle = find_idle(expect, queue->target, entry), *more;
	struct stat st;

	if (b->count > 0 || b->filed.fd < 0 || fstat(b->filed.fd, &st) < 0 ||
		st.st_size != b->filed.at)
		return;
	if (!idle) {
		more = realloc(expect->idle, (expect->idle_count + 1) * sizeof(*more));
		if (!more)
			return;
		expect->idle = more;
		idle = &more[expect->idle_count];
		*idle = (struct expect_idle){ .target = queue->target, .batch = strdup(b->name) };
		(void)snprintf(idle->entry, sizeof(idle->entry), "%s", entry);
		expect->idle_count += idle->batch != NULL;
	}
	idle->filed = st;
	idle->seen = true;
}

/* Those that were not met in the last scan are forgotten. */
static void prune(struct expect *expect)
{
	size_t kept = 0;

	for (size_t i = 0; i < expect->idle_count; i++) {
		struct expect_idle idle = expect->idle[i];

		if (!idle.seen) {
			free(idle.batch);
			continue;
		}
		idle.seen = false;
		expect->idle[kept++] = idle;
	}
	expect->idle_count = kept;
}

int expect_watch(struct expect *expect)
{
	char path[300];
	int result = 0;

	prune(expect);
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
	const char *idle = idle_batch(d, queue, entry);
	struct arriving batch;
	bool more = false;
	int dir;

	if (idle) {
		await(d, idle);
		return false;
	}
	dir = disk_open_dir(queue->outgoing, entry);
	if (dir < 0) {
		queue_look_failed(d);
		return false;
	}
	switch (arriving_open(&batch, &d->spool, queue->target, entry, dir)) {
	case ARRIVING_THERE:
		more = !job_is_cancelled(dir) && arriving_has(&batch);
		if (!more) {
			note_idle(&d->expect, queue, entry, &batch);
			await(d, batch.name);
		}
		break;
	case ARRIVING_UNDECIDED:
		await(d, batch.name);
		break;
	case ARRIVING_GONE:
		look_for_job(d, queue, entry);
		break;
	case ARRIVING_UNKNOWN:
		look_failed(d, queue, entry);
		break;
	}
	arriving_close(&batch);
	(void)close(dir); /* only read */
	return more;
}
