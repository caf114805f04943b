/*
 * report: what a period brought, from whom, and what was sent, to whom and how fast; as the lines
 * of the journal tell it. What is kept grows with series and connections, not with images.
 */
#ifndef REPORT_H
#define REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

enum number {
	SERIES, /* of a sender: that came; of a target: that were sent; and so the next two */
	IMAGES,
	BYTES,
	CONNECTIONS,
	BROKEN,
	DUPLICATES,
	QUARANTINED,
	DISCARDED, /* series */
	RETRIES,
	FAILED, /* series of which a target has refused images for good */
	FAILED_IMAGES,
	TIMES, /* a caller was refused */
	NUMBERS
};

/* The first rows of senders: they have no name. */
enum { BY_HAND, UNKNOWN, ROWS_FIXED };

struct row {
	char *name;          /* from the network, or of a target */
	char *peer, *reason; /* of a caller that was refused; the last reason */
	long long number[NUMBERS];
	int64_t median_us, worst_us; /* from the last image to its being sent; -1: not known */
	const char *worst_job;
	long waiting;  /* series, now */
	long *longest; /* their greatest number in each step; NULL: there was none */
	size_t told;   /* longest is known before this step */
};
struct rows {
	json_t *index;
	struct row *row;
	size_t count;
};

struct job {
	const char *name;
	size_t sender;
	int64_t since_us; /* its last image came, or it was asked for again */
	long long images, bytes;
};

/* A series that a target has stored. */
struct sent {
	int64_t time_us, delay_us;
	size_t sender, target, job;
};

/* Steps are as long as a bar of the charts is wide divided by this. */
enum { STEPS_OF_A_BAR = 6, STEPS_MAX = 400 };

struct report {
	int64_t from_us, until_us, step_us;
	size_t steps, passed; /* passed: those that have begun by now */
	struct rows sender, target, refused;
	long long images[STEPS_MAX];
	struct {
		int64_t median_us, worst_us;
	} delay[STEPS_MAX];
	long long all[NUMBERS]; /* of the senders, and for what only targets have of these */
	int64_t median_us, worst_us;
	struct sent *sent;
	size_t sents;
	struct job *job;
	size_t jobs;
	json_t *of_job;         /* name: its place among jobs */
	json_t *of_association; /* name: its sender's row */
	json_t *waits, *told;   /* "<job> <target>": it waits there; what came of it was told */
	size_t skipped;         /* lines that were none */
};

/* Reads the journal. Dies when it cannot. */
void report_read(struct report *report, const struct spool *spool, int64_t from_us,
	int64_t until_us, int64_t step_us);
void report_free(struct report *report);

/* The rows that have something to say, by name; those without one come last. The caller frees. */
const struct row **report_rows(const struct rows *rows, size_t *count);
/* "CT1", "brought by hand". */
const char *report_name(const struct report *report, const struct row *row);
bool report_is_empty(const struct report *report);

#endif
