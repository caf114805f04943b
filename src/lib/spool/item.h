/*
 * item: a series that came once, and its places in the tree on the way to each of its targets.
 * walk.h finds them, by names alone; series.json and plan.json are read when somebody asks, once.
 */
#ifndef SPOOL_ITEM_H
#define SPOOL_ITEM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "spool/spool.h"

/* In the order of the way. */
enum place_state {
	PLACE_RECEIVING,   /* receiving/<association>/: images that are in no series yet */
	PLACE_DROPPED,     /* in incoming/: brought by hand, not looked at yet */
	PLACE_COLLECTING,  /* in incoming/: a batch */
	PLACE_RESENT,      /* in incoming/: a job moved back */
	PLACE_ROUTING,     /* routing/ */
	PLACE_AHEAD,       /* in a queue: of a batch, which is sent while it is being received */
	PLACE_WAITING,     /* outgoing/<target>/ */
	PLACE_SENDING,     /* sending/<target>/ */
	PLACE_SENT,        /* success/ */
	PLACE_DISCARDED,   /* discard/<job>: no rule wanted it, or one said so */
	PLACE_CANCELLED,   /* discard/<job>.<target> */
	PLACE_FAILED,      /* error/<job>.<target> */
	PLACE_QUARANTINED, /* error/<anything else>: images of which nothing can be made */
	PLACE_STATES
};

/* "waiting": the word for people, for state= and for --json. */
const char *place_state_name(enum place_state state);
/* Nothing more is to happen to it. What failed waits for a person. */
bool place_state_is_over(enum place_state state);

struct place {
	enum spool_dir stage;
	enum place_state state;
	char *name; /* of its directory (or file) there */
	char *job;  /* of a batch that was decided early: what it will be called; else NULL */
	const char *target; /* NULL: it has none (yet) */
	bool meant;         /* for whoever chooses among places; true at first */
};

struct item {
	char *name; /* <job> without priority and target; of what is no job its directory's */
	struct place *place; /* at least one, in the order of the way */
	size_t count;
	int64_t time_us;       /* when its first image arrived; -1: not known */
	json_t *series, *plan; /* what item_series() and item_plan() have read */
	bool asked_series, asked_plan;
	bool gone;   /* the places are there no longer: it has moved on since */
	bool unread; /* a file could not be read, which was told */
};

/* The objects of series.json and plan.json; NULL: there is none. Borrowed. The first also sets
 * time_us where the name does not say it. */
const json_t *item_series(const struct spool *spool, struct item *item);
const json_t *item_plan(const struct spool *spool, struct item *item);
/* How many images: as planned, or as there are. */
size_t item_images(const struct spool *spool, struct item *item);

/* Frees what is in it; its places are the walk's. */
void item_free(struct item *item);

/* "outgoing/pacs/<job>", which is also where it is below the spool. */
void place_path(const struct place *place, struct buf *out);
/* Its directory; -1 with errno. */
int place_open(const struct spool *spool, const struct place *place);
/* 1, 0: it has moved on, -1 with errno. */
int place_exists(const struct spool *spool, const struct place *place);

#endif
