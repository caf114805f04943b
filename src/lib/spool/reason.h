/*
 * reason: reason.txt, for people: why something lies in error/. A line per file, or per image.
 */
#ifndef SPOOL_REASON_H
#define SPOOL_REASON_H

#include <stdbool.h>
#include <stddef.h>

#include "spool/spool.h"

/* Writes it durably, in the place of one of before. -1 with errno. */
int reason_store(int dir, const char *text, size_t length);

/* Appends "NAME: reason" to error/<label>/reason.txt, making the directory when needed, and moves
 * the file or directory dir/name there, under its own name or with "~2", "~3" ... behind. Nothing
 * is overwritten, nothing is lost: when this fails (-1, errno), the thing is still where it was.
 * The journal is told of it, and told.h says so. The caller writes the log. */
int reason_quarantine(const struct spool *spool, int dir, const char *name, const char *label,
	const char *reason);
/* The same, the thing being called `as` there. */
int reason_quarantine_as(const struct spool *spool, int dir, const char *name, const char *as,
	const char *label, const char *reason);

/* Writes the journal's line of a file that lies in error/<label>/ once more. Returns 0, or -1 with
 * errno. */
int reason_tell_again(const struct spool *spool, const char *label, const char *file);

/* Does the directory's reason.txt begin with the reason of something that lies in it? Then it came
 * from error/; another is somebody's own. */
bool reason_is_of(int dir);

#endif
