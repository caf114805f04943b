/*
 * roll: what waits in outgoing/<target>, in order: listed once, and corrected from then on by what
 * inotify(7) tells, so that a claim costs the same however much waits.
 *
 * Whoever chooses has the queue's lock and calls roll_refresh() first: the kernel queues the event
 * of a rename before the rename returns, so whatever a dispatcher has claimed before us is known by
 * then. Each list belongs to one watch, and that to one directory: when the events were too many,
 * the watch has gone, or another directory has the name, the list is made anew.
 */
#ifndef ROLL_H
#define ROLL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/sorted.h"
#include "conf/conf.h"
#include "spool/job.h"
#include "spool/retry.h"

/* A longer name is no job; ours are shorter. */
enum { QUEUE_NAME_SIZE = 128 };

/* What a name in a queue is. Our own files, and what no job can be called, are not on the roll. */
enum roll_kind {
	ROLL_JOB,
	ROLL_ODD,   /* no name of ours: a job by hand, or a file that will never be one */
	ROLL_AHEAD, /* "<job>.ahead": of a batch, expect.h. It goes in turn, but holds up no job */
	ROLL_ENDED, /* "<job>.<target>": to be sent again, again.h */
	ROLL_TEMPORARY, /* ".new.*" */
	ROLL_KINDS
};

/* Is it its turn? */
enum roll_place {
	ROLL_NOWHERE, /* no job */
	ROLL_BEHIND,  /* another of its study goes before it */
	ROLL_READY,
	ROLL_LATER /* not before retry.json says */
};

#define NUMBER_UNKNOWN LONG_MIN
struct waiting {
	struct sorted_node by_name, by_study, in_turn;
	const char *name; /* in the same allocation */
	enum roll_kind kind;
	enum roll_place place;
	enum job_priority priority;
	int64_t time_us;    /* of the series' first image; -1 for an odd name */
	uint32_t study;     /* as in job names; 0 for an odd name, which has none */
	long series_number; /* NUMBER_UNKNOWN: not read yet */
	unsigned int seen;  /* retry was read when the roll's count was this */
	struct retry retry;
};

struct roll {
	enum conf_order order;
	int watch;                  /* -1: none */
	bool whole;                 /* what is on it is right, once the events are taken */
	unsigned int retries;       /* counts how often all retry.json may have changed */
	struct sorted names;        /* all, by kind and name */
	struct sorted studies;      /* jobs by priority, study, (number,) name */
	struct sorted ready, later; /* by priority and name; by retry.json */
};
struct rolls {
	int inotify;
	struct roll *roll; /* one for each of conf's targets */
	size_t count;
};

/* Dies when it cannot be had. */
void rolls_open(struct rolls *rolls, const struct conf *conf);
/* Takes the events that have come. */
void rolls_drain(struct rolls *rolls);

/* Does a job's name fit? Our own files, and what is being copied here by hand, have others. */
bool roll_is_job(const char *name);
/* The study in a job's name, 0: none. */
uint32_t roll_study(const char *name);

/* Brings the roll up to what outgoing, a descriptor of the directory, holds now. *watched (0 or an
 * errno): why it could not be watched, so that nothing will wake us. -1 with errno: it could not be
 * looked at. */
int roll_refresh(struct rolls *rolls, struct roll *roll, int outgoing, int *watched);
/* Those that may go by retry.json by now are ready; returns when the next one is, 0: never.
 * longest_us: no retry.json was made for longer. */
int64_t roll_wake(struct roll *roll, int64_t longest_us);

/* The first of a kind by name, or the next; NULL: none. */
struct waiting *roll_first(const struct roll *roll, enum roll_kind kind);
struct waiting *roll_next(const struct roll *roll, const struct waiting *waiting);
/* The first ready job of a priority, or the next, which need not be ready any more. */
struct waiting *roll_ready(const struct roll *roll, enum job_priority priority);
struct waiting *roll_ready_next(const struct roll *roll, const struct waiting *waiting);

/* A name has come (one that is there has come anew: nothing is known of it) or gone; all have. -1
 * with ENOMEM. */
int roll_add(struct roll *roll, const char *name);
void roll_remove(struct roll *roll, const char *name);
void roll_clear(struct roll *roll);

/* What was found out about one. It may change whose turn it is. */
void roll_set_number(struct roll *roll, struct waiting *waiting, long number);
void roll_set_later(struct roll *roll, struct waiting *waiting); /* by its retry */
void roll_set_no_job(struct roll *roll, struct waiting *waiting);
void roll_set_kind(struct roll *roll, struct waiting *waiting, enum roll_kind kind);
/* The one of its study and priority whose turn it is; itself when it has no study. */
struct waiting *roll_head(const struct roll *roll, const struct waiting *waiting);
bool roll_is_alone(const struct roll *roll, const struct waiting *waiting);
/* Waits a job of the entry's study and priority that goes before it? */
bool roll_study_waits(const struct roll *roll, const struct waiting *entry);

#endif
