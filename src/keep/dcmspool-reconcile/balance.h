/*
 * balance: do both sides of an account agree? Each difference is named by its association or job.
 */
#ifndef BALANCE_H
#define BALANCE_H

#include <jansson.h>
#include <stdbool.h>

#include "account.h"

/* What of the account is asked for; NULL: all. */
struct balance_of {
	const char *sender, *target;
};

/* { associations, open, received, duplicates, quarantined, jobs, sent, failed, discarded, waits,
 * skipped: numbers; differences: [ { association, or job and target; missing: images, or of lines
 * 0; what } ] }. The caller decrefs. */
json_t *balance(struct account *account, const struct balance_of *of);

/* Leaves the differences of the same things that the other balance has, too. */
void balance_keep(json_t *balance, const json_t *other);

#endif
