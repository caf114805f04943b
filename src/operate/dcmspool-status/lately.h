/*
 * What the journal tells of late: what was refused and what went wrong today, and how much came and
 * was sent in the last minutes. Of a day only these events are parsed, and read on from where the
 * last look ended.
 */
#ifndef LATELY_H
#define LATELY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/journal_read.h"
#include "spool/spool.h"

enum { LATELY_S = 600, LATELY_REASONS = 12, LATELY_ERRORS = 3 };

/* A reason for which callers were refused today. What is more than the table has room for counts
 * as "other reasons", its last row. */
struct refusal {
	char *reason;
	unsigned long count;
	int64_t last_us;
	char *last_peer;
};

/* To a target, in the last minutes. */
struct lately_sent {
	char *target;
	unsigned long jobs, images;
};

struct lately {
	struct refusal refusal[LATELY_REASONS];
	size_t refusals;
	json_t *error[LATELY_ERRORS]; /* lines of today, the last one first */
	unsigned long errors;         /* how many there were */

	struct lately_sent *sent;
	size_t sents;
	unsigned long series, images; /* that came in the last minutes */

	struct journal_reader today; /* kept */
	int64_t midnight_us;
};

/* Reads on. Starts with { 0 }. What cannot be read is told, and missing. */
void lately_look(struct lately *lately, const struct spool *spool, int64_t now_us);
void lately_free(struct lately *lately);

/* What was sent to it; NULL: nothing. */
const struct lately_sent *lately_sent_to(const struct lately *lately, const char *target);

#endif
