/*
 * pausing: a target that failed is left alone for a while, longer each time. The lock of
 * outgoing/<target>, under which a pause is made longer and a job is chosen.
 */
#ifndef PAUSING_H
#define PAUSING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

/* Takes the lock of outgoing/<target>, or gives up after a moment (EWOULDBLOCK): another dispatcher
 * that chooses needs a moment; a stopped one may have it for ever, and must not keep us from the
 * other targets. */
int pausing_lock(int queue);

/* When the target may be used again; 0: at once. *probing: it was paused, so one job first. */
int64_t pausing_until(int queue, const struct conf_target *target, bool *probing);
/* Since when the target has been failing, and why; -1: it is not paused. */
int64_t pausing_since(int queue, char *reason, size_t size);
/* No pause of the target is longer. */
int64_t pausing_longest_us(const struct conf_target *target);
/* A deadline read from a file, or 0 for one that no pause of this target can have set: it is
 * damaged, or the clock was set back since. */
int64_t pausing_sane_us(const struct conf_target *target, int64_t due_us);

/* Pauses the target after a failure of its; returns until when, -1 when that could not be written.
 */
int64_t pausing_begin(int queue, const struct conf_target *target, const char *reason);
/* The target has answered: it is well. */
void pausing_end(int queue, const struct conf_target *target);

/* retry_min * 2^(n-1), at most retry_max, times 0.75 to 1.25 so that not everything comes back at
 * once; microseconds. */
int64_t pausing_length_us(long n, const struct conf_target *target);

#endif
