/*
 * given_up: which images of a job are not tried any more, and why.
 */
#ifndef GIVEN_UP_H
#define GIVEN_UP_H

#include <stdbool.h>
#include <stddef.h>

#include "attempt.h"

/* True when the target refused the image as often as is allowed, or the whole job is given up. */
bool given_up_is(const struct attempt *attempt, const struct image *image);
/* The same whoever asks, after a crash, too. */
bool given_up_by_ledger(const struct attempt *attempt, const struct image *image);
size_t given_up_count(const struct attempt *attempt);
/* Writes reason.txt for them. -1 with errno. */
int given_up_tell(const struct attempt *attempt, int dir);

#endif
