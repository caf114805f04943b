/*
 * moment: times for people, by the clock on their wall.
 */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include <stddef.h>
#include <stdint.h>

enum { MOMENT_SIZE = 32 };

/* "14:03:01" today, "2026-11-27 14:03" on another day; "" for what is not known (-1). */
void moment_text(int64_t time_us, char *out, size_t size);
/* The same in at most 12 columns: "Nov 27 14:03", or "2025-11-27". */
void moment_short(int64_t time_us, char *out, size_t size);
/* The same with the day, always, to the second: "2026-11-27 14:03:01". */
void moment_full(int64_t time_us, char *out, size_t size);

#endif
