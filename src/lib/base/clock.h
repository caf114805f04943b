/*
 * clock: what time it is, and when something is due. A moment (_us) is microseconds since 1970 by
 * CLOCK_REALTIME, which people set; 0 stands for never. Whatever only measures how long something
 * takes does so in milliseconds (_ms) of CLOCK_MONOTONIC, which nobody sets.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct stat;

int64_t clock_now_us(void);
int64_t clock_mtime_us(const struct stat *st);
int64_t clock_ctime_us(const struct stat *st);

/* The earlier of two moments of which each may be 0, never. */
int64_t clock_earlier(int64_t a_us, int64_t b_us);

/* Has the moment come? So has one further away than it can have been set, longest_us: the clock was
 * set back since, and nobody knows how long it has been waited for. */
bool clock_is_due(int64_t due_us, int64_t longest_us);

int64_t clock_monotonic_ms(void);

/* A moment of clock_monotonic_ms() by the clock on the wall of now: for loop_at(), which ends a
 * sleep when the clock is set. */
int64_t clock_wall_us(int64_t deadline_ms);

/* How long poll(2) may sleep before a moment of clock_monotonic_ms(): 0 when it has come. */
int clock_left_ms(int64_t deadline_ms);

#endif
