/*
 * strays: what lies below outgoing/ and no dispatcher will ever take. Somebody should know, once.
 */
#ifndef STRAYS_H
#define STRAYS_H

#include "base/disk.h"

struct dispatcher;
struct roll;
struct conf_target;

/* Directories of jobs or images that are no target's queue. */
void strays_look(struct dispatcher *dispatcher);
/* A file among the jobs of a target. */
void strays_look_in_queue(struct dispatcher *dispatcher, const struct conf_target *target,
	int outgoing, struct roll *roll);

#endif
