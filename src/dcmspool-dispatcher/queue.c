/*
 * Which job is next. Jobs of one target are chosen under the lock of outgoing/<target>, so that two
 * dispatchers never count the same free connection or overtake each other within a study.
 */
#include "dispatcher.h"

#include "job.h"
#include "jsonfile.h"
#include "log.h"
#include "str.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { CHOOSING_MS = 50 };

/* One target's directories, listed. */
struct queue {
	const struct conf_target *target;
	int outgoing, sending; /* descriptors of outgoing/<target>, sending/<target> */
	struct disk_names waiting, running;
	uint32_t *waiting_study, *running_study; /* in the same order */
};

/* The studies of the names, as numbers; 0 for names by hand, which have none. The caller frees. */
static uint32_t *studies_of(const struct disk_names *names)
{
	uint32_t *studies = calloc(names->count + 1, sizeof(*studies));

	for (size_t i = 0; studies && i < names->count; i++) {
		const char *study = job_study(names->name[i]);

		studies[i] = study ? (uint32_t)strtoul(study, NULL, 16) : 0;
	}
	return studies;
}

/* Another dispatcher that chooses needs a moment; a stopped one may have the lock for ever, and must not
 * keep us from the other targets. */
static int lock_queue(int outgoing)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; flock(outgoing, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK || i == CHOOSING_MS)
			return -1;
		(void)nanosleep(&moment, NULL);
	}
	return 0;
}

static int queue_open(struct dispatcher *d, const struct conf_target *target, struct queue *queue)
{
	*queue = (struct queue){ .target = target, .outgoing = -1, .sending = -1 };
	queue->outgoing = disk_open_dir(d->spool.dir[SPOOL_OUTGOING], target->name);
	queue->sending = disk_open_dir(d->spool.dir[SPOOL_SENDING], target->name);
	if (queue->outgoing < 0 || queue->sending < 0 || lock_queue(queue->outgoing) < 0 ||
		disk_list(queue->sending, ".", &queue->running) < 0 ||
		disk_list(queue->outgoing, ".", &queue->waiting) < 0)
		return -1;
	queue->running_study = studies_of(&queue->running);
	queue->waiting_study = studies_of(&queue->waiting);
	if (queue->running_study && queue->waiting_study)
		return 0;
	errno = ENOMEM;
	return -1;
}

static void queue_close(struct queue *queue)
{
	disk_names_free(&queue->waiting);
	disk_names_free(&queue->running);
	free(queue->waiting_study);
	free(queue->running_study);
	if (queue->outgoing >= 0)
		(void)close(queue->outgoing); /* releases the lock */
	if (queue->sending >= 0)
		(void)close(queue->sending);
}

/* Is the study among the first count of these? */
static bool has_study(const uint32_t *studies, size_t count, uint32_t study)
{
	for (size_t i = 0; study && i < count; i++)
		if (studies[i] == study)
			return true;
	return false;
}

enum { LET_GO_US = 20000, LET_GO_MAX_US = 1000000, BUSY_US = 1000000 };

/* A job's name must fit into struct work; ours do. */
static bool is_job_name(const char *name)
{
	return name_ok(name) && strlen(name) < sizeof(((struct work *)NULL)->job);
}

void queue_rest(struct dispatcher *d, const struct work *work)
{
	struct resting *resting = &d->resting[d->resting_next++ % RESTING_MAX];

	memcpy(resting->job, work->job, sizeof(resting->job));
	resting->target = work->target;
	resting->until_us = spool_now_us() + REST_US;
}

/* Have we failed on this job a moment ago? */
static bool is_resting(struct dispatcher *d, const struct conf_target *target, const char *job)
{
	for (size_t i = 0; i < RESTING_MAX; i++) {
		const struct resting *resting = &d->resting[i];

		if (resting->target != target || strcmp(resting->job, job) != 0 ||
			resting->until_us <= spool_now_us() ||
			resting->until_us > spool_now_us() + REST_US) /* the clock was set back */
			continue;
		look_again(d, resting->until_us);
		return true;
	}
	return false;
}

/* Would one more failure of ours be forgotten before its time? */
static bool is_exhausted(struct dispatcher *d)
{
	int64_t until_us = d->resting[d->resting_next % RESTING_MAX].until_us;

	if (until_us <= spool_now_us() || until_us > spool_now_us() + REST_US)
		return false;
	look_again(d, until_us);
	return true;
}

/* When a job that waits to be tried again may go; 0: it is not waiting. */
static int64_t retry_due(const struct queue *queue, const char *job)
{
	int dir = disk_open_dir(queue->outgoing, job);
	json_t *retry = dir < 0 ? NULL : jsonfile_load(dir, "retry.json");
	int64_t due_us = retry ? spool_stamp_time(jsonfile_text(retry, "not_before")) : 0;

	json_decref(retry);
	if (dir >= 0)
		(void)close(dir); /* only read */
	return pause_sane_us(queue->target, due_us);
}

/* May the i-th waiting job go now? Within a study the jobs go in the order of their names, which is the
 * order of arrival, one after the other. */
static bool may_go(struct dispatcher *d, const struct queue *queue, size_t i)
{
	const char *job = queue->waiting.name[i];
	int64_t due_us;

	if (!is_job_name(job))
		return false; /* our own files, and what is being copied here by hand */
	if (queue->target->order != CONF_ORDER_NONE &&
		(has_study(queue->running_study, queue->running.count, queue->waiting_study[i]) ||
			has_study(queue->waiting_study, i, queue->waiting_study[i])))
		return false;
	if (is_resting(d, queue->target, job))
		return false;
	due_us = retry_due(queue, job);
	if (due_us <= spool_now_us())
		return true;
	look_again(d, due_us);
	return false;
}

/* The directory of sending/<target>/<job>, locked, if its dispatcher is dead. *running counts those whose
 * dispatcher is alive: what else lies there by hand is no connection of the target's. */
static int take_over(
	struct dispatcher *d, const struct queue *queue, const char **job, long *running)
{
	*running = 0;
	for (size_t i = 0; i < queue->running.count; i++) {
		const char *name = queue->running.name[i];
		int dir;

		if (!is_job_name(name) || is_resting(d, queue->target, name))
			continue;
		dir = disk_lock_dir(queue->sending, name, LOCK_EX | LOCK_NB);
		*running += dir < 0 && errno == EWOULDBLOCK;
		if (dir >= 0) {
			*job = name;
			log_info("taken over job=%s target=%s", name, queue->target->name);
			return dir;
		}
	}
	return -1;
}

/* Moves a waiting job to sending/. Its lock goes with it. */
static int claim(struct dispatcher *d, const struct queue *queue, const char *job)
{
	int dir = disk_lock_dir(queue->outgoing, job, LOCK_EX | LOCK_NB);

	if (dir < 0) {
		/* The router that moved it here is about to let it go; that makes no event. Whoever else
		 * has it may keep it long. */
		if (errno == EWOULDBLOCK) {
			d->let_go_us = d->let_go_us ? d->let_go_us * 2 : LET_GO_US;
			if (d->let_go_us > LET_GO_MAX_US)
				d->let_go_us = LET_GO_MAX_US;
			look_again(d, spool_now_us() + d->let_go_us);
		}
		return -1; /* else no directory, or moved away by hand just now */
	}
	d->let_go_us = 0;
	if (disk_rename(queue->outgoing, job, queue->sending, job) == 0)
		return dir;
	log_error("unable to move outgoing/%s/%s to sending: %s; it is tried again",
		queue->target->name, job, strerror(errno));
	look_again(d, spool_now_us() + REST_US); /* room that is made is no event */
	(void)close(dir);
	return -1;
}

static int next_job(
	struct dispatcher *d, const struct queue *queue, const char **job, bool *is_paused)
{
	int64_t until_us = pause_until(queue->outgoing, queue->target, is_paused);
	long running;
	int dir;

	if (until_us > spool_now_us()) {
		look_again(d, until_us);
		return -1;
	}
	dir = take_over(d, queue, job, &running);
	if (dir >= 0)
		return dir;
	if (running >= (*is_paused ? 1 : queue->target->max_connections))
		return -1; /* sending/ tells when one has ended */
	for (size_t i = 0; i < queue->waiting.count; i++) {
		if (!may_go(d, queue, i))
			continue;
		dir = claim(d, queue, queue->waiting.name[i]);
		if (dir >= 0) {
			*job = queue->waiting.name[i];
			return dir;
		}
	}
	return -1;
}

/* Claims the next job of one target. */
static bool claim_from(struct dispatcher *d, const struct conf_target *target, struct work *work)
{
	struct queue queue;
	bool is_paused = false;
	const char *job = NULL;
	int dir = -1;

	if (queue_open(d, target, &queue) == 0)
		dir = next_job(d, &queue, &job, &is_paused);
	else if (errno == EWOULDBLOCK) /* another dispatcher is choosing */
		look_again(d, spool_now_us() + BUSY_US);
	else
		log_error("unable to look into outgoing/%s and sending/%s: %s", target->name,
			target->name, strerror(errno));
	if (dir >= 0) {
		*work = (struct work){ .target = target,
			.dir = dir,
			.queue = queue.outgoing,
			.sending = queue.sending,
			.target_was_well = !is_paused };
		memcpy(work->job, job, strlen(job) + 1);
		(void)flock(queue.outgoing, LOCK_UN); /* chosen; cannot fail on what is locked */
		queue.outgoing = queue.sending = -1;
	}
	queue_close(&queue);
	return dir >= 0;
}

/* The oldest name that waits for a target, to be fair between targets; "" when none waits. Only a hint:
 * the choice is made under the lock. */
static void oldest(struct dispatcher *d, const struct conf_target *target, char *out, size_t size)
{
	struct disk_names names = { 0 };
	size_t i = 0;

	*out = '\0';
	if (disk_list(d->spool.dir[SPOOL_OUTGOING], target->name, &names) < 0)
		return;
	while (i < names.count && job_study(names.name[i]) == NULL)
		i++;
	if (i < names.count && strlen(names.name[i]) < size)
		memcpy(out, names.name[i], strlen(names.name[i]) + 1);
	disk_names_free(&names);
}

struct candidate {
	const struct conf_target *target;
	char job[128];
};

static int by_age(const void *a, const void *b)
{
	return strcmp(((const struct candidate *)a)->job, ((const struct candidate *)b)->job);
}

bool queue_claim(struct dispatcher *d, struct work *work)
{
	size_t count = d->conf->target_count;
	struct candidate *candidate;
	bool claimed = false;

	if (is_exhausted(d))
		return false;
	candidate = calloc(count + 1, sizeof(*candidate));
	if (!candidate)
		die(EXIT_TEMPORARY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		candidate[i].target = &d->conf->target[i];
		oldest(d, candidate[i].target, candidate[i].job, sizeof(candidate[i].job));
	}
	qsort(candidate, count, sizeof(*candidate), by_age);
	for (size_t i = 0; i < count && !claimed; i++)
		claimed = claim_from(d, candidate[i].target, work);
	free(candidate);
	return claimed;
}
