/*
 * turn: which priority and which target is looked at first.
 */
#ifndef TURN_H
#define TURN_H

#include <stdbool.h>

#include "spool/job.h"

struct dispatcher;
struct claimed;

struct turn {
	unsigned int passed_over[JOB_PRIORITIES]; /* in favour of more urgent jobs */
};

/* Claims the next job of all that wait, by priority and age, or takes over one whose dispatcher
 * died. Returns false when there is none that may go. claimed_close() ends it. */
bool turn_claim(struct dispatcher *dispatcher, struct claimed *claimed);

#endif
