/*
 * hours: times of the day in which something may be done, "22:00-06:00", local time.
 */
#ifndef HOURS_H
#define HOURS_H

#include <stdint.h>

/* Reads hours (over midnight as well) into minutes of the day, 0 to 1440. Returns -1 when the text
 * is none. */
int hours_read(const char *text, int *from_min, int *to_min);

/* The first moment from time_us on (microseconds since 1970) inside the hours: time_us itself, or
 * when they begin. Text that is no hours allows any time. */
int64_t hours_next_us(const char *text, int64_t time_us);

#endif
