/*
 * holds: a target that is held is told once, and once more when the first job waits for it. Of
 * several dispatchers the one tells it that has the lock of the file `held`, which it keeps for as
 * long as that is there; a new one tells it anew.
 */
#ifndef HOLDS_H
#define HOLDS_H

#include <stdbool.h>

struct dispatcher;
struct conf_target;

struct hold {
	bool told; /* by us */
	int file;  /* then: `held`, locked */
	bool jobs; /* and that jobs wait */
};

/* The target, or all, may be held: outgoing is its queue. */
void holds_look(struct dispatcher *d, const struct conf_target *target, int outgoing);

#endif
