/*
 * retry: retry.json of a job that is back in its queue: not before when it may go, and, for a job
 * at which its target failed although that was well, how often in a row and since when.
 */
#ifndef SPOOL_RETRY_H
#define SPOOL_RETRY_H

#include <stdint.h>

struct retry {
	int64_t not_before_us; /* microseconds since 1970; 0: at once */
	long breaks;           /* how often the target failed at it although it was well */
	int64_t since_us;      /* since when it has been failing at it; -1: it has not */
};

/* A job without the file, or with one that is damaged, may go at once. */
void retry_load(int job, struct retry *out);
/* Is there one? 1, 0, or -1 with errno. */
int retry_exists(int job);
/* Writes it durably. */
int retry_store(int job, const struct retry *retry);
/* Removes it: the job may go. */
int retry_remove(int job);

#endif
