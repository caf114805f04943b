/*
 * dispatcher: what the files of this program share. The way of a job, one file each:
 *
 *   queue.c    chooses a job and claims it: outgoing/<target>/<job> becomes sending/<target>/<job>
 *   work.c     sends, and judges by the answers where the job goes
 *   sending.c  runs the sender on what the ledger lacks
 *   ledger.c   sent.log: one line per image that the target answered
 *   finish.c   success/, error/, or back to outgoing/
 *   pause.c    outgoing/<target>/paused.json: a target that failed is left alone for a while
 */
#ifndef DISPATCHER_H
#define DISPATCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "disk.h"
#include "loop.h"
#include "spool.h"

/* A job that we could not work on for a reason of our own; not touched for a while. The oldest is
 * forgotten first; while all places are taken, no job is claimed: on a full disk as many jobs would be
 * sent over and over. */
enum { RESTING_MAX = 64, REST_US = 30000000 };
struct resting {
	char job[128];
	const struct conf_target *target;
	int64_t until_us;
};

struct dispatcher {
	const struct conf *conf;
	struct spool spool;
	struct loop loop;
	int64_t next_us; /* when something that waits may go; 0: nothing waits for a time */
	struct resting resting[RESTING_MAX];
	int64_t let_go_us;   /* how long a job whose lock was held is left to its holder */
	size_t resting_next; /* the place that is used next */
};

/* One image of a job and what the ledger says of it. */
struct image {
	char *name;
	bool stored;
	long failures;  /* answers that were refusals */
	char status[8]; /* of the last answer */
	char text[200]; /* its meaning */
	bool answered;  /* in this run */
};

/* A job that this process has claimed; its directory is locked. */
struct work {
	const struct conf_target *target;
	char job[128];
	int queue;            /* outgoing/<target> */
	int sending;          /* sending/<target> */
	int dir;              /* sending/<target>/<job> */
	bool target_was_well; /* when it was claimed, the target was not paused */
	struct image *images; /* sorted by name */
	size_t image_count;
};

/* Puts off the next look at the queues to due_us, unless an earlier one is due. */
void look_again(struct dispatcher *dispatcher, int64_t due_us);

/* Claims the job that is next, or takes over one whose dispatcher died. Returns false when there is none
 * that may go. work_close() ends it. */
bool queue_claim(struct dispatcher *dispatcher, struct work *work);
/* This process leaves the job alone for a while. */
void queue_rest(struct dispatcher *dispatcher, const struct work *work);
void work_close(struct work *work);

/* Sends what is to be sent and brings the job where it belongs. */
void work_run(struct dispatcher *dispatcher, struct work *work);

/* Runs the sender; each answer goes to the ledger as it comes. Returns its exit status (0 when nothing
 * was to be sent), or -1 when it could not be run. reason: why the target failed, if the sender said. */
int send_images(struct dispatcher *dispatcher, struct work *work, char *reason, size_t size);

/* Fills work->images from the directory and the ledger. -1 with errno. */
int ledger_load(struct work *work);
/* NULL when the job has no such image. */
struct image *ledger_find(const struct work *work, const char *name);
/* Appends one answer, and notes it in the image. A ledger that cannot be written is an error: without it
 * the image would be sent for ever. */
int ledger_add(
	struct work *work, struct image *image, bool stored, const char *status, const char *text);
/* The ledger's bytes are on the disk. */
int ledger_sync(const struct work *work);

/* Brings the job to success/ or error/ or splits it, when every image is stored or given up. */
int finish_done(struct dispatcher *dispatcher, struct work *work);
/* A directory without images is no job: made by hand, it goes to error/. */
int finish_empty(struct dispatcher *dispatcher, struct work *work);
/* Puts the job back into outgoing/. retry_us: not before this time (0: at once). */
int finish_return(struct work *work, int64_t retry_us);
/* Completes a split that was committed before a crash: drops images that lie in error/ already. Comes
 * before ledger_load(), which lists what is left. */
int finish_resume(struct dispatcher *dispatcher, struct work *work);
/* True when the target refused the image as often as is allowed. */
bool finish_given_up(const struct work *work, const struct image *image);

/* When the target may be used again; 0: it is not paused. *probing: it was paused, so one job first. */
int64_t pause_until(int queue, const struct conf_target *target, bool *probing);
/* A deadline read from a file, or 0 for one that no pause of this target can have set: it is damaged, or
 * the clock was set back since. */
int64_t pause_sane_us(const struct conf_target *target, int64_t due_us);
/* Pauses the target after a failure of its; returns until when, -1 when that could not be written. */
int64_t pause_target(struct work *work, const char *reason);
/* The target has answered: it is well. */
void pause_end(const struct work *work);
/* min * 2^(n-1), at most max, times 0.75 to 1.25 so that not everything comes back at once; microseconds. */
int64_t pause_length_us(long n, long min_ms, long max_ms);

#endif
