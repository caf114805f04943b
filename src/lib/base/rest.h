/*
 * rest: what is to be left alone for a while, because something of ours failed on it a moment ago.
 *
 * The table grows with what fails, and a question is answered for what it names only: however much
 * rests, everything else goes on. What has rested long enough is forgotten. Nobody who sets the
 * clock makes a rest shorter or longer: it is measured by CLOCK_MONOTONIC.
 */
#ifndef REST_H
#define REST_H

#include <stddef.h>
#include <stdint.h>

struct rest_entry;

/* Begins with the length alone: struct rest rest = { .length_ms = 30000 }. */
struct rest {
	int64_t length_ms;        /* how long a rest is */
	struct rest_entry *entry; /* sorted by name, then by of */
	size_t count;
};

/* name of whatever it belongs to (a job of a target; NULL: of nothing) rests from now on. Returns
 * -1 with ENOMEM: it does not rest. */
int rest_add(struct rest *rest, const char *name, const char *of);

/* Until when it rests (microseconds since 1970, by the clock of now), or 0: it does not. */
int64_t rest_until(const struct rest *rest, const char *name, const char *of);

/* How many things rest now; first_us (may be NULL): when the first of them may be touched again, 0
 * for none. For whoever wants to touch nothing while much has failed. */
size_t rest_count(const struct rest *rest, int64_t *first_us);

void rest_free(struct rest *rest);

#endif
