/*
 * dispatcher: what the files of this program share. The way of a job, one file each:
 *
 *   queue.c    claims the job that is next: outgoing/<target>/<job> becomes sending/<target>/<job>
 *   turn.c     which priority and which target is to be looked at first
 *   order.c    whether a job may go: hours, retries, and the order within its study
 *   upstream.c series of a study that are not in a queue yet
 *   work.c     sends, and judges by the answers where the job goes
 *   sending.c  runs the sender on what the ledger lacks
 *   ledger.c   sent.log: one line per image that the target answered
 *   finish.c   success/, error/ or discard/
 *   retry.c    back to outgoing/: retry.json
 *   pause.c    outgoing/<target>/paused.json: a target that failed is left alone for a while
 */
#ifndef DISPATCHER_H
#define DISPATCHER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "base/disk.h"
#include "base/loop.h"
#include "spool/spool.h"

/* A job that we could not work on for a reason of our own; not touched for a while. The oldest is
 * forgotten first; while all places are taken, no job is claimed: on a full disk as many jobs would
 * be sent over and over. */
enum { RESTING_MAX = 64, REST_US = 30000000 };
struct resting {
	char job[128];
	const struct conf_target *target;
	int64_t until_us;
};

/* A series that is in no queue yet. */
struct on_its_way {
	uint32_t study;  /* as in job names */
	int64_t time_us; /* when its first image arrived */
	char path[300];  /* where it is, in the spool */
};
struct upstream {
	struct on_its_way *series; /* for the life of the process, grows */
	size_t count;
	int64_t before_us; /* only what arrived before this was looked for */
};

struct dispatcher {
	const struct conf *conf;
	struct spool spool;
	struct loop loop;
	int64_t next_us; /* when something that waits may go; 0: nothing waits for a time */
	struct upstream upstream;
	bool upstream_unknown; /* it could not be looked at: what goes in order waits */
	unsigned int deferred; /* how often jobs of paused targets were put off, in a row */
	bool waits_upstream; /* a job waits for a series on its way, so that way is to be watched */
	unsigned int passed_over[JOB_PRIORITIES]; /* in favour of more urgent jobs */
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
	long tries;     /* answers in all */
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
	bool give_up;         /* the target has failed for longer than its give_up: */
	int64_t failing_since_us;
	char failing_reason[300];
	char in_error[256]; /* the name under which what was given up lies in error/ */
	bool own_fault;     /* the sender could not be run: neither the target\'s nor an image\'s */
	long breaks;        /* how often the well target has failed at this job, in a row */
	int64_t breaks_since_us;
	struct image *images; /* sorted by name */
	size_t image_count;
};

/* Puts off the next look at the queues to due_us, unless an earlier one is due. */
void look_again(struct dispatcher *dispatcher, int64_t due_us);

/* Claims the job that is next, or takes over one whose dispatcher died. Returns false when there is
 * none that may go. work_close() ends it. */
bool queue_claim(struct dispatcher *dispatcher, struct work *work);

/* One target's directories, listed; its lock is held. */
struct waiting {
	const char *name;
	int64_t time_us; /* of the series' first image */
	uint32_t study;  /* as in job names; 0 for a name by hand, which has none */
	enum job_priority priority;
	long series_number; /* NUMBER_UNKNOWN: not read yet */
};
#define NUMBER_UNKNOWN LONG_MIN
struct queue {
	const struct conf_target *target;
	int outgoing, sending; /* descriptors of outgoing/<target>, sending/<target> */
	struct disk_names waiting_names, running;
	struct waiting *waiting; /* in the order of their names */
	uint32_t *running_study; /* in the order of running */
	bool is_paused;
};

/* A job's name must fit into struct work; ours do. */
bool queue_is_job(const char *name);
/* Is it a directory, too? What somebody put there and no dispatcher will ever take keeps nobody
 * waiting. */
bool queue_is_claimable(int dir, const char *name);
/* Are all jobs, or this target's, held? */
bool queue_held(const struct dispatcher *dispatcher, const char *target);
/* Have we failed on this job a moment ago? */
bool queue_is_resting(
	struct dispatcher *dispatcher, const struct conf_target *target, const char *job);
/* The study in a job's name, 0 when it has none. */
uint32_t queue_study(const char *name);
/* Takes the lock of outgoing/<target>, or gives up after a moment (EWOULDBLOCK): a stopped process
 * may have it for ever. */
int queue_lock(int outgoing);
/* Claims from one target a job of this priority; JOB_PRIORITIES: only one whose dispatcher died. */
bool queue_claim_from(struct dispatcher *dispatcher, const struct conf_target *target,
	enum job_priority priority, struct work *work);

/* Claims the next job of all that wait, by priority and age. */
bool turn_claim(struct dispatcher *dispatcher, struct work *work);

/* May the i-th waiting job go now? If not, and a time or an event will tell, it is waited for. */
bool order_may_go(struct dispatcher *dispatcher, struct queue *queue, size_t i);

/* Lists the series on their way whose first image arrived before before_us. -1 when that cannot be
 * done now; it is logged. */
int upstream_look(struct dispatcher *dispatcher, int64_t before_us);
/* One of the study that arrived before time_us, or NULL. */
const struct on_its_way *upstream_before(
	const struct dispatcher *dispatcher, uint32_t study, int64_t time_us);

/* This process leaves the job alone for a while. */
void queue_rest(struct dispatcher *dispatcher, const struct work *work);
void work_close(struct work *work);

/* Sends what is to be sent and brings the job where it belongs. */
void work_run(struct dispatcher *dispatcher, struct work *work);

/* Runs the sender; each answer goes to the ledger as it comes. Returns its exit status (0 when
 * nothing was to be sent), or -1 when it could not be run. reason: why the target failed, if the
 * sender said. */
int send_images(struct dispatcher *dispatcher, struct work *work, char *reason, size_t size);
/* The same for the question whether the target can be used; 0 also when its sender cannot tell. */
int send_probe(struct dispatcher *dispatcher, struct work *work, char *reason, size_t size);

/* Fills work->images from the directory and the ledger. -1 with errno. */
int ledger_load(struct work *work);
/* NULL when the job has no such image. */
struct image *ledger_find(const struct work *work, const char *name);
/* Appends one answer, and notes it in the image. A ledger that cannot be written is an error:
 * without it the image would be sent for ever. */
int ledger_add(
	struct work *work, struct image *image, bool stored, const char *status, const char *text);
/* Makes sure that there is room for so many answers: an image whose answer cannot be written would
 * be sent over and over. */
int ledger_reserve(const struct work *work, size_t answers);
/* The ledger's bytes are on the disk; what was reserved and not needed is given back. */
int ledger_sync(const struct work *work);

/* Brings the job to success/ or error/ or splits it, when every image is stored or given up. */
int finish_done(struct dispatcher *dispatcher, struct work *work);
/* A directory without images is no job: made by hand, it goes to error/. */
int finish_empty(struct dispatcher *dispatcher, struct work *work);
/* Brings the job to discard/, as `dcmspool cancel` asked. */
int finish_cancelled(struct dispatcher *dispatcher, struct work *work);
/* Has somebody asked for that? */
bool finish_is_cancelled(const struct work *work);

/* retry.json: when a job that is back in its queue may go. retry_due() reads it for a job in dir;
 * 0: at once. */
int64_t retry_due(const struct queue *queue, int dir);
/* Reads work->breaks. */
void retry_load(struct work *work);
/* Puts the job back into outgoing/. retry_us: not before this time (0: at once); has_broken: the
 * target failed. */
int retry_return(struct work *work, int64_t retry_us, bool has_broken);
/* Completes a split that was committed before a crash: drops images that lie in error/ already.
 * Comes before ledger_load(), which lists what is left. */
int finish_resume(struct dispatcher *dispatcher, struct work *work);
/* True when the target refused the image as often as is allowed, or the whole job is given up. */
bool finish_given_up(const struct work *work, const struct image *image);

/* When the target may be used again; 0: it is not paused. *probing: it was paused, so one job
 * first. */
int64_t pause_until(int queue, const struct conf_target *target, bool *probing);
/* Since when the target has been failing, and why; -1: it is not paused. */
int64_t pause_since(int queue, char *reason, size_t size);
/* A deadline read from a file, or 0 for one that no pause of this target can have set: it is
 * damaged, or the clock was set back since. */
int64_t pause_sane_us(const struct conf_target *target, int64_t due_us);
/* Pauses the target after a failure of its; returns until when, -1 when that could not be written.
 */
int64_t pause_target(struct work *work, const char *reason);
/* The target has answered: it is well. */
void pause_end(const struct work *work);
/* min * 2^(n-1), at most max, times 0.75 to 1.25 so that not everything comes back at once;
 * microseconds. */
int64_t pause_length_us(long n, long min_ms, long max_ms);

#endif
