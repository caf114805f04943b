/*
 * account: what came in a day, and what became of it, as the journal and the tree tell it.
 *
 * An association is of the day in which it began, a job of the day in which its first image arrived
 * (a job moved back by hand: was moved): the time in their names. What becomes of them counts,
 * whenever that is. A job is known by its name without priority and number.
 *
 * associations, by name: { calling; opened, caller (the end says that there was one), ended, open;
 * received, filed, duplicates, quarantined: of the journal; duplicate_lines, quarantined_lines;
 * files: { name of one in error/ }; jobs: images in jobs, by their lines; waits: images in
 * incoming/ }
 *
 * jobs, by name: { told: there is a line of its beginning, images; decided: by the rules; routed,
 * discarded: there is that line; quarantined: { image }, by a line; in_error: { file }, by the
 * tree; moved: { from: images that were taken from a queue by hand to be routed again }; routing:
 * it is being routed; by: { association }; senders: { AE title }; places: [ paths ]; targets: {
 * name: see ends.h } }
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"

struct account {
	const struct spool *spool;
	int64_t from_us, until_us;
	json_t *associations, *jobs;
	json_t *begun; /* the jobs of whatever day that were told: { association: images } */
	json_int_t unattributed; /* images of jobs of which nobody said who brought them */
	size_t skipped;          /* lines of the journal that were none */
};

/* What is read dies without memory. */
void account_open(
	struct account *account, const struct spool *spool, int64_t from_us, int64_t until_us);
void account_free(struct account *account);

/* The object of an association, of whatever day; made when needed. */
json_t *account_association(struct account *account, const char *name);
/* The object of the job whose name this begins with; NULL: none of ours, or of another day. */
json_t *account_job(struct account *account, const char *name);
/* Is a stamp at the beginning of the name one of the day? */
bool account_is_of_day(const struct account *account, const char *name);

/* Numbers and marks in these objects. */
void account_add(json_t *object, const char *key, json_int_t n);
void account_set(json_t *object, const char *key, json_int_t n);
json_int_t account_get(const json_t *object, const char *key);
/* The sum of the numbers in an object. */
json_int_t account_sum(const json_t *numbers);
/* The object under a key, made when needed. */
json_t *account_in(json_t *object, const char *key);

#endif
