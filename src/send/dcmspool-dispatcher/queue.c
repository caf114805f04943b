/*
 * Claiming. Jobs of one target are chosen under the lock of outgoing/<target>, so that two
 * dispatchers never count the same free connection or overtake each other within a study.
 */
#include "dispatcher.h"

#include "spool/job.h"
#include "spool/journal.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { CHOOSING_MS = 50 };

uint32_t queue_study(const char *name)
{
	const char *study = job_study(name);

	return study ? (uint32_t)strtoul(study, NULL, 16) : 0;
}

/* Another dispatcher that chooses needs a moment; a stopped one may have the lock for ever, and
 * must not keep us from the other targets. */
int queue_lock(int outgoing)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; flock(outgoing, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK || i == CHOOSING_MS)
			return -1;
		(void)nanosleep(&moment, NULL);
	}
	return 0;
}

/* What the names say. Returns -1 when memory is short. */
static int read_names(struct queue *queue)
{
	size_t waiting = queue->waiting_names.count, running = queue->running.count;

	queue->waiting = calloc(waiting + 1, sizeof(*queue->waiting));
	queue->running_study = calloc(running + 1, sizeof(*queue->running_study));
	if (!queue->waiting || !queue->running_study) {
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = 0; i < running; i++)
		queue->running_study[i] = queue_study(queue->running.name[i]);
	for (size_t i = 0; i < waiting; i++) {
		const char *name = queue->waiting_names.name[i];

		queue->waiting[i] = (struct waiting){ .name = name,
			.time_us = spool_stamp_time(name),
			.study = queue_study(name),
			.priority = job_priority(name),
			.series_number = NUMBER_UNKNOWN };
	}
	return 0;
}

static int queue_open(
	struct dispatcher *d, const struct conf_target *target, bool waiting, struct queue *queue)
{
	*queue = (struct queue){ .target = target, .outgoing = -1, .sending = -1 };
	queue->outgoing = disk_open_dir(d->spool.dir[SPOOL_OUTGOING], target->name);
	queue->sending = disk_open_dir(d->spool.dir[SPOOL_SENDING], target->name);
	if (queue->outgoing < 0 || queue->sending < 0 || queue_lock(queue->outgoing) < 0 ||
		disk_list(queue->sending, ".", &queue->running) < 0 ||
		(waiting && disk_list(queue->outgoing, ".", &queue->waiting_names) < 0))
		return -1;
	return read_names(queue);
}

static void queue_close(struct queue *queue)
{
	disk_names_free(&queue->waiting_names);
	disk_names_free(&queue->running);
	free(queue->waiting);
	free(queue->running_study);
	if (queue->outgoing >= 0)
		(void)close(queue->outgoing); /* releases the lock */
	if (queue->sending >= 0)
		(void)close(queue->sending);
}

bool queue_held(const struct dispatcher *d, const char *target)
{
	int outgoing = d->spool.dir[SPOOL_OUTGOING];
	char name[300];

	(void)snprintf(name, sizeof(name), "%s/held", target);
	/* What cannot be looked at is held: an operator's word must not be overlooked. */
	return disk_exists(outgoing, "held") != 0 || disk_exists(outgoing, name) != 0;
}

enum { LET_GO_US = 20000, LET_GO_MAX_US = 1000000, BUSY_US = 1000000 };

bool queue_is_job(const char *name)
{
	return name_ok(name) && strlen(name) < sizeof(((struct work *)NULL)->job) &&
	       strcmp(name, "held") != 0 && strcmp(name, "paused.json") != 0;
}

bool queue_is_claimable(int dir, const char *name)
{
	struct stat st;

	return queue_is_job(name) && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

void queue_rest(struct dispatcher *d, const struct work *work)
{
	struct resting *resting = &d->resting[d->resting_next++ % RESTING_MAX];

	memcpy(resting->job, work->job, sizeof(resting->job));
	resting->target = work->target;
	resting->until_us = spool_now_us() + REST_US;
}

bool queue_is_resting(struct dispatcher *d, const struct conf_target *target, const char *job)
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

/* The directory of sending/<target>/<job>, locked, if its dispatcher is dead. *running counts those
 * whose dispatcher is alive: what else lies there by hand is no connection of the target's. */
static int take_over(
	struct dispatcher *d, const struct queue *queue, const char **job, long *running)
{
	*running = 0;
	for (size_t i = 0; i < queue->running.count; i++) {
		const char *name = queue->running.name[i];
		int dir;

		if (!queue_is_job(name) || queue_is_resting(d, queue->target, name))
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
		/* The router that moved it here is about to let it go; that makes no event. Whoever
		 * else has it may keep it long. */
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

/* The job went although an earlier series of its study is still on its way: somebody should know.
 */
static void tell_overtaken(struct dispatcher *d, const struct queue *queue, size_t i, int dir)
{
	const struct waiting *job = &queue->waiting[i];
	const struct on_its_way *earlier = NULL;

	if (queue->target->order == CONF_ORDER_STUDY && queue->target->order_wait_ms > 0)
		earlier = upstream_before(d, job->study, job->time_us);
	if (!earlier || disk_exists(dir, "sent.log") != 0 || disk_exists(dir, "retry.json") != 0)
		return; /* none, or it was told at an earlier try */
	log_warning("sent before an earlier series of its study, which was waited for long enough "
		    "job=%s target=%s earlier=%s",
		job->name, queue->target->name, earlier->path);
	journal_write(&d->spool, "overtaken", "job", job->name, "target", queue->target->name,
		"earlier", earlier->path, NULL);
}

/* The index of the first waiting job of this priority that may go, claimed as *dir; or -1. */
static long claim_first(
	struct dispatcher *d, struct queue *queue, enum job_priority priority, int *dir)
{
	for (size_t i = 0; i < queue->waiting_names.count; i++) {
		if (queue->waiting[i].priority != priority || !order_may_go(d, queue, i))
			continue;
		*dir = claim(d, queue, queue->waiting[i].name);
		if (*dir < 0)
			continue;
		tell_overtaken(d, queue, i, *dir);
		return (long)i;
	}
	return -1;
}

/* While the target is paused, jobs that have waited for longer than give_up are claimed to be given
 * up. The target must have been failing for so long, too: a job is not given up because dcmspool
 * was stopped, or the target held. Names are sorted by time, so if the first is too young, all are.
 */
static const char *claim_hopeless(struct dispatcher *d, struct queue *queue, struct work *work)
{
	int64_t give_up_us = (int64_t)queue->target->give_up_s * 1000000, due_us;

	due_us = work->failing_since_us =
		pause_since(queue->outgoing, work->failing_reason, sizeof(work->failing_reason));
	for (size_t i = 0; due_us >= 0 && i < queue->waiting_names.count; i++) {
		const struct waiting *job = &queue->waiting[i];

		if (!queue_is_job(job->name) || job->time_us < 0 ||
			queue_is_resting(d, queue->target, job->name))
			continue;
		if (job->time_us > due_us)
			due_us = job->time_us;
		if (due_us + give_up_us > spool_now_us()) {
			look_again(d, due_us + give_up_us);
			break;
		}
		work->dir = claim(d, queue, job->name);
		if (work->dir >= 0)
			return job->name;
	}
	return NULL;
}

/* Chooses a job and fills in work->job and work->dir. */
static bool next_job(
	struct dispatcher *d, struct queue *queue, enum job_priority priority, struct work *work)
{
	int64_t until_us = pause_until(queue->outgoing, queue->target, &queue->is_paused);
	long allowed = queue->is_paused ? 1 : target_jobs(queue->target);
	const char *job = NULL;
	long running = 0, i;

	work->target_was_well = !queue->is_paused;
	if (until_us > spool_now_us()) {
		look_again(d, until_us);
		job = claim_hopeless(d, queue, work);
		work->give_up = job != NULL;
	} else {
		work->dir = take_over(d, queue, &job, &running);
		if (!job && priority < JOB_PRIORITIES && running < allowed) {
			i = claim_first(d, queue, priority, &work->dir);
			job = i < 0 ? NULL : queue->waiting[i].name;
		} /* else sending/ tells when one has ended */
	}
	if (job)
		memcpy(work->job, job, strlen(job) + 1);
	return job != NULL;
}

bool queue_claim_from(struct dispatcher *d, const struct conf_target *target,
	enum job_priority priority, struct work *work)
{
	struct queue queue;
	bool claimed = false;

	*work = (struct work){ .target = target, .dir = -1 };
	/* It may have been held since the survey. */
	if (queue_open(d, target, priority < JOB_PRIORITIES, &queue) == 0)
		claimed = !queue_held(d, target->name) && next_job(d, &queue, priority, work);
	else if (errno == EWOULDBLOCK) /* another dispatcher is choosing */
		look_again(d, spool_now_us() + BUSY_US);
	else
		log_error("unable to look into outgoing/%s and sending/%s: %s", target->name,
			target->name, strerror(errno));
	if (claimed) {
		work->queue = queue.outgoing;
		work->sending = queue.sending;
		(void)flock(queue.outgoing, LOCK_UN); /* chosen; cannot fail on what is locked */
		queue.outgoing = queue.sending = -1;
	}
	queue_close(&queue);
	return claimed;
}

bool queue_claim(struct dispatcher *d, struct work *work)
{
	return !is_exhausted(d) && turn_claim(d, work);
}
