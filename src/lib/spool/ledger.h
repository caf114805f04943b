/*
 * ledger: sent.log of a job, a line per answer of a target:
 *
 *	time TAB target TAB stored|failed|never|doubt TAB status TAB image TAB try TAB text
 *
 * never: failed, and another try would change nothing. doubt: it was sent, and no answer came.
 * try counts the answers to this image, from 1; a doubt is none. Lines of other targets (a job
 *moved from one queue to another by hand) count for nothing. A line that a crash cut off counts for
 * nothing: the image is sent again. One writer: whoever holds the job's lock.
 *
 *	time TAB target TAB again
 *
 * says that the job was moved back to be sent again: earlier lines of the target count for nothing.
 */
#ifndef SPOOL_LEDGER_H
#define SPOOL_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

struct ledger_line {
	const char *time, *target;
	bool stored, never, doubt; /* none: failed */
	const char *status; /* of the answer: "0000", or "-" when the target gave no number */
	const char *image;  /* the name of its file */
	long tries;
	const char *text; /* one line, without tabs: text_clean() */
};

/* Calls take for each whole line that counts for the target (NULL: all of all), in the order of
 * writing. The strings are valid during the call. Without a ledger there is none. -1 with errno. */
typedef void ledger_take(void *context, const struct ledger_line *line);
int ledger_read(int job, const char *target, ledger_take *take, void *context);

/* How often it says "again" for the target; -1 with errno. */
int ledger_agains(int job, const char *target);

/* 1: the job was at a sender before, 0: not, -1 with errno. */
int ledger_exists(int job);

/* Appends a line, with the time of now. -1 with errno: without it the image would be sent for ever,
 * so the caller stops. */
int ledger_append(int job, const struct ledger_line *line);
/* All images are to be sent to the target again. */
int ledger_again(int job, const char *target);
/* Makes sure that there is room for so many answers: an image whose answer cannot be written would
 * be sent over and over. */
int ledger_reserve(int job, size_t answers);
/* Its bytes are on the disk; what was reserved and not needed is given back. */
int ledger_sync(int job);

#endif
