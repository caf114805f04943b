/*
 * when: moments as operators write them, in local time:
 *
 *	today, yesterday    0:00 of that day
 *	30m, 2h, 3d         so long ago
 *	2026-11-28          0:00 of that day
 *	2026-11-28T14:00    with :SS behind it or without
 */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <time.h>

/* For messages: "...; write today, ...". */
#define WHEN_FORMS "today, yesterday, 30m, 2h, 3d, 2026-11-28 or 2026-11-28T14:00"
#define WHEN_DAYS  "today, yesterday, 3d or 2026-11-28"

/* now: of the question. -1: it is none of these forms, or there is no such day. */
int when_read(const char *text, time_t now, time_t *out);

/* A day (today, yesterday, 3d, 2026-11-28): from its 0:00 on, until that of the next. -1 as above.
 */
int when_day(const char *text, time_t now, time_t *from, time_t *until);

#endif
