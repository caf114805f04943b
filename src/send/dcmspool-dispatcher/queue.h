/*
 * queue: one target's directories, outgoing/<target> and sending/<target>, looked at under the lock
 * of the former, so that two dispatchers never count the same free connection or overtake each
 * other within a study.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/disk.h"
#include "conf/conf.h"
#include "roll.h"

struct dispatcher;

struct queue {
	const struct conf_target *target;
	int outgoing, sending; /* descriptors of outgoing/<target>, sending/<target> */
	struct roll *roll;     /* what waits */
	struct disk_names running;
	uint32_t *running_study; /* in the order of running */
	bool is_paused;
};

/* waiting: what waits is wanted, too; what a killed writer left of a file is removed. -1 with
 * errno; EWOULDBLOCK: another dispatcher is choosing. queue_close() in any case. */
int queue_open(struct dispatcher *dispatcher, const struct conf_target *target, bool waiting,
	struct queue *queue);
void queue_close(struct queue *queue);

/* Brings the target's roll up to what outgoing, a descriptor of its queue, holds now. NULL with
 * errno. */
struct roll *queue_roll(
	struct dispatcher *dispatcher, const struct conf_target *target, int outgoing);
/* It could not be watched (errno); everything is looked at again after a while. */
void queue_watch_failed(struct dispatcher *dispatcher, const char *path);

/* Has it a job's name, and is it a directory? What somebody put there and no dispatcher will ever
 * take keeps nobody waiting. */
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
