/*
 * nearest: the known names that somebody may have meant by an unknown one.
 *
 * Start with { .word = ... }, try every known name, then ask for the hint. Near is what few slips
 * of the hand make of the word: letters missing, added, wrong or swapped; and so is what begins
 * with the word, or has it in it. Upper and lower case do not matter.
 */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

enum { NEAREST_MAX = 3, NEAREST_HINT = 256 /* room for a hint */ };

struct nearest {
	const char *word;
	const char *best[NEAREST_MAX]; /* of the caller's; the nearest first */
	size_t distance[NEAREST_MAX];  /* in half steps */
	size_t count;
};

void nearest_try(struct nearest *nearest, const char *candidate);

/* "; did you mean X, Y or Z?", or "" when nothing is near, in a buffer of the caller's. */
const char *nearest_hint(const struct nearest *nearest, char *out, size_t size);

#endif
