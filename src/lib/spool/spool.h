/*
 * spool: the directories of the spool, times and names. spool-layout/STATES.md says what they mean.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum spool_dir {
	SPOOL_ROOT, /* the spool itself */
	SPOOL_RECEIVING,
	SPOOL_INCOMING,
	SPOOL_ROUTING,
	SPOOL_OUTGOING,
	SPOOL_SENDING,
	SPOOL_SUCCESS,
	SPOOL_DISCARD,
	SPOOL_ERROR,
	SPOOL_JOURNAL,
	SPOOL_DIRS
};

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

/* Now, in microseconds since 1970 (CLOCK_REALTIME). */
int64_t spool_now_us(void);

/* Writes "20261122T140301.123456Z". size must be at least SPOOL_STAMP_SIZE. */
enum { SPOOL_STAMP_SIZE = 32 };
void spool_stamp(int64_t time_us, char *out, size_t size);

/* The opposite: reads a stamp at the beginning of text. Returns -1 when there is none. */
int64_t spool_stamp_time(const char *text);

/* True for names of images inside batches and jobs: "<name_ok>.dcm". */
bool spool_is_image(const char *name);

/* Quarantine: appends "NAME: reason" to error/<label>/reason.txt, making the directory when needed,
 * and moves the file or directory dir/name there, under its own name or with "~2", "~3" ... behind.
 * Nothing is overwritten, nothing is lost: when this fails (-1, errno), the thing is still where it
 * was. The caller writes log and journal. */
int spool_quarantine(const struct spool *spool, int dir, const char *name, const char *label,
	const char *reason);

#endif
