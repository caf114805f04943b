/*
 * pause: outgoing/<target>/paused.json: the target failed and is left alone for a while. Read and
 * write are one step under the lock of outgoing/<target>; removing it needs none: the target has
 * answered, whoever says so is right. STATES.md 2.
 */
#ifndef SPOOL_PAUSE_H
#define SPOOL_PAUSE_H

#include <stdint.h>

struct pause {
	int64_t until_us, since_us; /* microseconds since 1970; -1: not known */
	long failures;              /* in a row */
	char reason[300];
};

/* queue: outgoing/<target>. 1: it is paused; 0: not; -1 with errno: the file is there and cannot be
 * read (EINVAL: it is damaged): the target counts as paused and may be tried. */
int pause_load(int queue, struct pause *out);
/* Writes it durably. */
int pause_store(int queue, const struct pause *pause);
int pause_remove(int queue);

#endif
