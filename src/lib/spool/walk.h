/*
 * walk: everything that lies in the tree, as a list of series (item.h). Only names are read, so
 * whoever can choose by names opens little.
 *
 * Nothing is locked: dispatchers and routers move jobs meanwhile. The stages are looked at in the
 * order of the way, and the first queues once more at the end, so a job that moves on, or comes
 * back, is met twice rather than missed; of two places that exclude each other the one that is
 * still there is kept.
 */
#ifndef SPOOL_WALK_H
#define SPOOL_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "spool/item.h"
#include "spool/pause.h"

/* A target that something waits for, or went to. */
struct walk_queue {
	char *target;
	bool held;   /* this one, or all */
	bool paused; /* and pause says until when; what is damaged counts as paused, too */
	struct pause pause;
};

struct walk {
	struct item *item; /* by time, oldest first; what has none comes last */
	size_t count;
	struct walk_queue *queue;
	size_t queues;
	bool incomplete; /* something could not be read, which was told */

	struct place *place; /* of all items */
	size_t places;
};

/* Looks at the whole tree. Returns 0, or -1 without memory. walk_free() frees, also after that. */
int walk_spool(const struct spool *spool, struct walk *out);
void walk_free(struct walk *walk);

/* NULL: nothing in the tree has this target. */
const struct walk_queue *walk_queue(const struct walk *walk, const char *target);

#endif
