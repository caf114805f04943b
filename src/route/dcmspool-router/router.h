/*
 * router: what the files of this program share. The way of a series, one file each:
 *
 *   scan.c     looks at incoming/: which batches are complete, when is the next one due
 *   known.c    what is known of batches, so that they are not looked at each time
 *   complete.c when is a batch complete
 *   resend.c   jobs moved back by hand that are one
 *   early.c    decides at the first image what is to be sent ahead
 *   claim.c    incoming/<x> becomes routing/<job>
 *   check.c    are its images whole
 *   route.c    brings a job in routing/ to its end, whatever state it was left in
 *   plan.c     the rules decide: plan.json
 *   fanout.c   the plan is carried out: outgoing/, discard/
 *   quiet.c    is something that came by hand still being written
 *   drop.c     things dropped by hand become receiving/<a>/, which is read like an association
 *   readers.c  the processes that read it
 */
#ifndef ROUTER_H
#define ROUTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/inotify.h>

#include "conf/conf.h"
#include "base/disk.h"
#include "base/loop.h"
#include "base/rest.h"
#include "base/sorted.h"
#include "spool/spool.h"

enum { RETRY_MS = 30000, RETRY_US = RETRY_MS * 1000 }; /* after a failure of ours */
enum { DAY_MS = 24 * 3600 * 1000 };
enum { GROUP_MAX = 64 };
enum {
	/* Inside a batch only what `touch` and `mkdir .complete` do: renames of images must not
	 * wake us. */
	BATCH_EVENTS = IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB,
};
enum { WRITING_US = 1000000 }; /* how soon is looked again at what is being written */

struct router {
	const struct conf *conf;
	struct spool spool;
	struct loop loop;    /* whoever has to look again says when: loop_at() */
	struct sorted known; /* batches, known.c */
	bool woken;          /* something has happened that makes another scan worth while */
	int64_t paced_us;    /* dcmspool-router.c */
	size_t group;        /* so many batches are claimed together at most */
	struct rest rest;    /* names in incoming/ that could not be moved just now */
	struct rest said;    /* names in routing/ that are no jobs */
	char *association;   /* path of dcmspool-association */
	size_t readers;      /* processes of ours that read what was dropped */
	bool cuts_through;   /* a rule does */
	bool recovered_once;
	int64_t recover_us; /* when to look for dead directories in receiving/; 0: no need */
};

/* Looks at the whole spool once and does all that is due. When to look again stands in loop. */
void scan(struct router *router);
/* Watches a path of a directory; what fails is told, and tried again. */
void scan_watch(struct router *router, const char *path, unsigned int events);
/* Something failed that may pass: another look in RETRY_US. */
void look_again(struct router *router);

/* Finishes what lies in routing/ with a free lock. -1 when something stays there. */
int scan_routing(struct router *router);

/* What is known of incoming/<name>. It holds until an event names the batch, or one of its files
 * that matter, or, when it is fed, an association ends. */
struct known {
	struct sorted_node node;
	const char *name;
	int64_t looked_us, due_us;
	int64_t arrived_us; /* its first image; 0: not read yet */
	bool fed;           /* a connection that may add to it is open */
	bool resend;        /* it has job.json: only the watch is known to be there */
};
/* From now on events are taken, and the router is woken by those that matter. */
void known_open(struct router *router);
/* NULL: it is to be looked at. */
struct known *known_find(struct router *router, const char *name);
/* Without memory it is looked at again. */
void known_set(struct router *router, const struct known *known);
void known_forget(struct router *router, const char *name);
/* So many names are there: what is known of others goes some time. */
void known_sweep(struct router *router, size_t names);

/* When the batch is complete (microseconds since 1970), 0: now; -1 with errno. connected: names in
 * receiving/. *fed: that depends on a connection that is open. */
int64_t complete_due(const struct router *router, const struct disk_names *connected, int batch,
	const char *name, bool *fed);

/* What lies in incoming/ with job.json. name is borrowed, and found by its pointer. */
struct resend {
	const char *name;
	char *job; /* without its priority */
};
struct resends {
	struct resend *item;
	size_t count;
};
int resends_add(struct resends *resends, int batch, const char *name);
void resends_free(struct resends *resends);
/* Unlinks the images of batch, locked by us, in the other resends of its job. -1 with errno:
 * EWOULDBLOCK when somebody is at one of them; nothing is lost, for batch has them. */
int resends_take(struct router *router, const struct resends *resends, int batch, const char *name);

struct claim;

/* Is something to be sent ahead of this batch (incoming/<name>, path), which is not complete?
 * Decided by its first image that is believed; until then nothing is known of it, and its images
 * are events. */
void early_look(struct router *router, int batch, const char *name, const char *path);
/* Watches what may be a batch in a moment, if it waits for that. */
void early_watch(struct router *router, const char *name, const char *path);
/* The early decision that the job was claimed by, or NULL; the caller decrefs. -1 with errno. */
int early_of(const struct claim *claim, json_t **early);

/* A batch that was claimed: its directory, locked by us. */
struct claim {
	int dir;       /* -1: it is through, or stays there */
	char job[128]; /* its name in routing/ */
	json_t *plan;  /* NULL: not decided yet */
	bool untold;   /* the journal has no room for its beginning: nor is there any for its way */
};

/* Turns incoming/name, locked by us as dir, into routing/<job>. Takes over dir on success. Returns
 * -1 with errno; the batch is where it was. */
int claim_batch(struct router *router, int dir, const char *name, struct claim *claim);

/* Tells the journal that incoming/from has become this job. */
void arrived_tell(struct router *router, struct claim *claim, const char *from);
/* The same of one that was taken over, if it may not have been told. */
void arrived_tell_again(struct router *router, struct claim *claim);

/* When images that somebody has put into a batch, locked by us, are no longer written
 * (microseconds since 1970), 0: now; -1 with errno. */
int64_t check_due(const struct router *router, int batch);
/* Moves images that are not whole to error/<job>/. -1 with errno: not all could be checked. */
int check_images(struct router *router, const struct claim *claim);

/* From J1, J2 or J3 to the end, all together; closes their directories. -1 after a failure, which
 * is logged: the job stays in routing/ and is tried again by the next scan. */
int route(struct router *router, struct claim *claims, size_t count);

/* Decides by the rules and writes plan.json. The caller decrefs; NULL on failure. */
json_t *plan_make(struct router *router, const struct claim *claim);

/* Tells journal and log which rules failed, unless the plan says that they know. */
void plan_tell(struct router *router, const struct claim *claim, json_t *plan);

/* Carry claim->plan out, each step when what the one before has written is on the disk. -1 with
 * errno. */
bool fanout_is_shared(const struct claim *claim); /* several targets: links are made */
int fanout_prepare(struct router *router, struct claim *claim);
int fanout_move(struct router *router, struct claim *claim);
int fanout_end(struct router *router, struct claim *claim); /* routing/<job> is gone */

/* Has anybody this file open for writing? 1, 0, or -1 with errno: EACCES: the kernel tells its
 * owner only; else it cannot be known now. */
int quiet_is_written(int dir, const char *name);
/* When a file that came by hand may be taken (microseconds since 1970), 0: at once; -1 with errno:
 * it cannot be known now. */
int64_t quiet_file_due(
	const struct router *router, int dir, const char *name, const struct stat *st);
/* When incoming/name, which came by hand, may be taken (microseconds since 1970): it must have been
 * quiet and nobody may have it, or a file below it, open for writing. 0: at once; -1 with errno:
 * ENOENT: it is gone; else it cannot be known now. */
int64_t quiet_due(const struct router *router, const char *name);

/* Moves these of incoming/ (one or more) to a new receiving/<a>/ and starts reading it. What cannot
 * be moved rests; logged. */
void drop_take(struct router *router, char *const *names, size_t count);

/* No more readers now: the end of one makes the router look again. */
bool readers_are_busy(const struct router *router);
/* Starts dcmspool-association -r for receiving/<association>. */
void readers_start(struct router *router, const char *association);
/* The same for each directory in receiving/ whose lock is free. */
void readers_recover(struct router *router);
/* Takes note of those that have ended. */
void readers_reap(struct router *router);

#endif
