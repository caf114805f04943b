/*
 * queue: one target's directories, outgoing/<target> and sending/<target>, listed under the lock of
 * the former, so that two dispatchers never count the same free connection or overtake each other
 * within a study.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/disk.h"
#include "conf/conf.h"
#include "spool/job.h"

struct dispatcher;

/* A longer name is no job; ours are shorter. */
enum { QUEUE_NAME_SIZE = 128 };

#define NUMBER_UNKNOWN LONG_MIN
struct waiting {
	const char *name;
	int64_t time_us; /* of the series' first image */
	uint32_t study;  /* as in job names; 0 for a name by hand, which has none */
	enum job_priority priority;
	long series_number; /* NUMBER_UNKNOWN: not read yet */
};
struct queue {
	const struct conf_target *target;
	int outgoing, sending; /* descriptors of outgoing/<target>, sending/<target> */
	struct disk_names waiting_names, running;
	struct waiting *waiting; /* in the order of their names */
	uint32_t *running_study; /* in the order of running */
	bool is_paused;
	bool unknown; /* some could not be looked at: what goes in order waits */
};

/* waiting: what waits is wanted, too; what a killed writer left of a file is removed. -1 with
 * errno; EWOULDBLOCK: another dispatcher is choosing. queue_close() in any case. */
int queue_open(struct dispatcher *dispatcher, const struct conf_target *target, bool waiting,
	struct queue *queue);
void queue_close(struct queue *queue);

/* Does a job's name fit? Our own files, and what is being copied here by hand, have others. */
bool queue_is_job(const char *name);
/* Is it a directory, too? What somebody put there and no dispatcher will ever take keeps nobody
 * waiting. */
bool queue_is_claimable(struct dispatcher *dispatcher, int dir, const char *name);
/* Has the job's directory been left alone for as long as an association's end is waited for? Else
 * it is looked at again then: it may be a copy that somebody is making. */
bool queue_is_quiet(struct dispatcher *dispatcher, int dir);
/* Are all jobs, or those in this outgoing/<target>, held? */
bool queue_is_held(struct dispatcher *dispatcher, int outgoing);

/* Something could not be looked at (errno). If what is there keeps us from it, not its absence,
 * which makes an event when it ends, everything is looked at again after a moment: true. */
bool queue_look_failed(struct dispatcher *dispatcher);

/* This process leaves the job, or the whole target, alone for a while. */
#define QUEUE_ALL ""
void queue_rest(struct dispatcher *dispatcher, const struct conf_target *target, const char *job);
/* Does it? Then it is looked at again when that is over. */
bool queue_is_resting(
	struct dispatcher *dispatcher, const struct conf_target *target, const char *job);
/* Rests so much that no job is to be claimed? On a full disk as many would be sent over and over.
 */
bool queue_is_exhausted(struct dispatcher *dispatcher);

#endif
