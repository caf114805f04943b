/*
 * spool: the directories of the spool, times and names. spool-layout/STATES.md says what they mean.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/stage.h"

struct spool {
	int dir[SPOOL_DIRS]; /* descriptors, for the life of the process */
	char *path;          /* absolute */
};

/* The name of a directory inside the spool, for messages: "incoming". */
const char *spool_name(enum spool_dir dir);

/* Opens the spool, checks that its directories are there and on one file system; dies otherwise
 * with a message that says what to do. Called once, at start; also changes the working directory to
 * the spool, so that paths such as "incoming/X" in child processes and watches are right. */
void spool_open(struct spool *spool, const char *path);

/* The same for whoever only looks: nothing is written, not even the number of the format. */
void spool_open_to_look(struct spool *spool, const char *path);

/* Dies, as spool_open() does, when there is such a spool and it is of a format that this program
 * does not know. */
void spool_check_format(const char *path);

/* Now, in microseconds since 1970 (CLOCK_REALTIME). */
int64_t spool_now_us(void);

/* Writes "20261122T140301.123456Z". size must be at least SPOOL_STAMP_SIZE. */
enum { SPOOL_STAMP_SIZE = 32 };
void spool_stamp(int64_t time_us, char *out, size_t size);

/* The same moment by RFC 3339, for lines that others read: "2026-11-22T14:03:01.123456Z". */
enum { SPOOL_RFC3339_SIZE = 40 };
void spool_rfc3339(int64_t time_us, char *out, size_t size);

/* The opposite of spool_stamp(): reads a stamp at the beginning of text. Returns -1 when there is
 * none. */
int64_t spool_stamp_time(const char *text);

#endif
