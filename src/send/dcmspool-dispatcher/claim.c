#include "claim.h"

#include "again.h"
#include "base/clock.h"
#include "base/log.h"
#include "chain.h"
#include "conf/target.h"
#include "dispatcher.h"
#include "order.h"
#include "pausing.h"
#include "spool/file.h"
#include "spool/journal.h"
#include "spool/ledger.h"
#include "spool/retry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { LET_GO_US = 20000, LET_GO_MAX_US = 1000000, BUSY_US = 1000000, ROOM_US = 30000000 };

/* A target that is paused may keep whoever tries it waiting until a time-out: one dispatcher at a
 * time does so. */
static bool may_probe(struct dispatcher *d, struct claimed *claimed)
{
	claimed->probe = openat(d->spool.dir[SPOOL_OUTGOING], file_name(FILE_PROBE),
		O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
	if (claimed->probe >= 0 && flock(claimed->probe, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK) {
		loop_at(&d->loop, clock_now_us() + BUSY_US); /* letting go makes no event */
	} else {
		queue_look_failed(d);
		log_error("unable to lock outgoing/%s: %s; it is tried again",
			file_name(FILE_PROBE), strerror(errno));
	}
	claimed_answered(claimed);
	return false;
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

		if (!roll_is_job(name) || queue_is_resting(d, queue->target, name))
			continue;
		dir = disk_lock_dir(queue->sending, name, LOCK_EX | LOCK_NB);
		if (dir >= 0) {
			*job = name;
			log_info("taken over job=%s target=%s", name, queue->target->name);
			return dir;
		}
		*running += errno == EWOULDBLOCK || queue_look_failed(d);
	}
	return -1;
}

/* Is somebody putting the job's directory together here by hand? Ours come whole, by a rename. */
static bool is_being_made(struct dispatcher *d, int dir, const char *job)
{
	struct disk_names images;
	size_t count = 0;

	if (spool_stamp_time(job) >= 0) {
		if (job_images(dir, &images) < 0)
			return queue_look_failed(d);
		count = images.count;
		disk_names_free(&images);
	}
	return count == 0 && !queue_is_quiet(d, dir);
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
			loop_at(&d->loop, clock_now_us() + d->let_go_us);
		} else if (queue_look_failed(d)) {
			log_error("unable to lock outgoing/%s/%s: %s; it is tried again",
				queue->target->name, job, strerror(errno));
		} /* else no directory, or moved away by hand just now */
		return -1;
	}
	d->let_go_us = 0;
	if (!job_ahead(job) && is_being_made(d, dir, job)) {
		(void)close(dir); /* releases the lock */
		return -1;
	}
	if (disk_rename(queue->outgoing, job, queue->sending, job) == 0)
		return dir;
	log_error("unable to move outgoing/%s/%s to sending: %s; it is tried again",
		queue->target->name, job, strerror(errno));
	loop_at(&d->loop, clock_now_us() + ROOM_US); /* room that is made is no event */
	(void)close(dir);
	return -1;
}

/* The job went although an earlier series of its study is still on its way: somebody should know.
 */
static void tell_overtaken(
	struct dispatcher *d, const struct queue *queue, const struct waiting *job, int dir)
{
	const struct on_its_way *earlier = NULL;

	if (queue->target->order == CONF_ORDER_STUDY && queue->target->order_wait_ms > 0)
		earlier = upstream_before(&d->upstream, job->study, job->time_us);
	if (!earlier || ledger_exists(dir) != 0 || retry_exists(dir) != 0)
		return; /* none, or it was told at an earlier try */
	log_warning("sent before an earlier series of its study, which was waited for long enough "
		    "job=%s target=%s earlier=%s",
		job->name, queue->target->name, earlier->path);
	journal_write(&d->spool, "overtaken", "job", job->name, "target", queue->target->name,
		"earlier", earlier->path, NULL);
}

/* Claims it. What is known of one that somebody is making may change without an event. */
static const char *claim_waiting(
	struct dispatcher *d, struct queue *queue, struct waiting *job, struct claimed *claimed)
{
	claimed->dir = claim(d, queue, job->name);
	if (claimed->dir >= 0)
		return job->name;
	job->seen--;
	return NULL;
}

/* The first waiting job of this priority that may go, claimed; or NULL. */
static const char *claim_first(struct dispatcher *d, struct queue *queue,
	enum job_priority priority, struct claimed *claimed)
{
	for (struct waiting *w = roll_ready(queue->roll, priority); w;
		w = roll_ready_next(queue->roll, w)) {
		struct waiting *job = order_head(d, queue, w);

		if (!job || !order_may_go(d, queue, job)) {
			if (d->upstream.wanted_us)
				return NULL; /* once more, when that is known */
			continue;
		}
		if (claim_waiting(d, queue, job, claimed)) {
			if (job->kind != ROLL_AHEAD) /* its job is still to come */
				tell_overtaken(d, queue, job, claimed->dir);
			return job->name;
		}
	}
	return NULL;
}

/* While the target is paused, jobs that have waited for longer than give_up are claimed to be given
 * up. The target must have been failing for so long, too: a job is not given up because dcmspool
 * was stopped, or the target held. Names are sorted by time, so if the first is too young, all are.
 */
static const char *claim_hopeless(
	struct dispatcher *d, struct queue *queue, struct claimed *claimed)
{
	int64_t give_up_us = (int64_t)queue->target->give_up_s * 1000000, due_us;
	struct hopeless *hopeless = &claimed->hopeless;
	struct waiting *w = queue->roll ? roll_first(queue->roll, ROLL_JOB) : NULL;

	due_us = hopeless->since_us =
		pausing_since(queue->outgoing, hopeless->reason, sizeof(hopeless->reason));
	for (; due_us >= 0 && w; w = roll_next(queue->roll, w)) {
		if (w->time_us < 0 || queue_is_resting(d, queue->target, w->name))
			continue;
		if (w->time_us > due_us)
			due_us = w->time_us;
		if (due_us + give_up_us > clock_now_us()) {
			loop_at(&d->loop, due_us + give_up_us);
			break;
		}
		hopeless->is = claim_waiting(d, queue, w, claimed);
		if (hopeless->is)
			return w->name;
	}
	return NULL;
}

/* May the target have one more? A sender that waits with its connection is about to go on or to
 * end, which makes no event. */
static bool has_room(struct dispatcher *d, const struct queue *queue, long running, long allowed)
{
	if (running >= allowed)
		return false; /* sending/ tells when one has ended */
	if (running + chain_others(d, queue->target) < allowed)
		return true;
	loop_at(&d->loop, clock_now_us() + LET_GO_US);
	return false;
}

/* Chooses a job and fills in claimed->job and claimed->dir. */
static bool next_job(struct dispatcher *d, struct queue *queue, enum job_priority priority,
	struct claimed *claimed)
{
	int64_t until_us = pausing_until(queue->outgoing, queue->target, &queue->is_paused);
	long allowed = queue->is_paused ? 1 : target_jobs(queue->target);
	const char *job = NULL;
	long running = 0;

	claimed->target_was_well = !queue->is_paused;
	if (until_us > clock_now_us()) {
		loop_at(&d->loop, until_us);
		job = claim_hopeless(d, queue, claimed);
	} else if (!queue->is_paused || may_probe(d, claimed)) {
		claimed->dir = take_over(d, queue, &job, &running);
		if (!job && priority < JOB_PRIORITIES && has_room(d, queue, running, allowed))
			job = claim_first(d, queue, priority, claimed);
	}
	if (job)
		memcpy(claimed->job, job, strlen(job) + 1);
	else
		claimed_answered(claimed); /* it tries nothing */
	return job != NULL;
}

/* Were there jobs to be sent again? They wait under other names now. */
static bool sent_again(struct dispatcher *d, const struct queue *queue)
{
	bool any = queue->roll && again_all(d, queue);

	if (any)
		loop_at(&d->loop, LOOP_NOW);
	return any;
}

bool claim_from(struct dispatcher *d, const struct conf_target *target, enum job_priority priority,
	struct claimed *claimed)
{
	struct queue queue;
	bool is_claimed = false;

	*claimed = (struct claimed){ .target = target, .dir = -1, .images = -1, .probe = -1 };
	if (queue_is_resting(d, target, QUEUE_ALL))
		return false;
	/* It may have been held since the survey. */
	if (queue_open(d, target, priority < JOB_PRIORITIES, &queue) == 0)
		is_claimed = !queue_is_held(d, queue.outgoing) && !sent_again(d, &queue) &&
			     next_job(d, &queue, priority, claimed);
	else if (errno == EWOULDBLOCK) /* another dispatcher is choosing */
		loop_at(&d->loop, clock_now_us() + BUSY_US);
	else if (queue_look_failed(d))
		log_error("unable to look into outgoing/%s and sending/%s: %s; it is tried again",
			target->name, target->name, strerror(errno));
	if (is_claimed) {
		claimed->queue = queue.outgoing;
		claimed->sending = queue.sending;
		(void)flock(queue.outgoing, LOCK_UN); /* chosen; cannot fail on what is locked */
		queue.outgoing = queue.sending = -1;
	}
	queue_close(&queue);
	return is_claimed;
}

void claimed_answered(struct claimed *claimed)
{
	if (claimed->probe >= 0)
		(void)close(claimed->probe); /* releases the lock */
	claimed->probe = -1;
}

int claimed_images(const struct claimed *claimed)
{
	return claimed->images >= 0 ? claimed->images : claimed->dir;
}

void claimed_close(struct claimed *claimed)
{
	claimed_answered(claimed);
	(void)close(claimed->dir); /* releases the lock */
	(void)close(claimed->sending);
	(void)close(claimed->queue);
}
