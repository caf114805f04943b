/*
 * journal: the audit trail, journal/<YYYY-MM-DD>.jsonl (UTC days), one JSON object a line, appended
 * with one write(2). dcmspool-journal(5) lists the events.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "spool/spool.h"

#include <stdbool.h>

/* A line is written after the commit that it tells. Lines carry what they are about (event, job,
 * target, association): of several with the same the last one counts.
 *
 * Appends {"time":..., "event": event, then the pairs}. The arguments after event are pairs of
 * strings (key, value) closed by NULL; a pair whose value is NULL is left out. Values are made
 * valid UTF-8. A journal that cannot be written is reported on standard error and holds nothing up:
 * an image's way is decided by the tree alone. Returns 0, or -1 with errno: the line
 * is not there. */
int journal_write(const struct spool *spool, const char *event, ...) __attribute__((sentinel));

/* What was written before is on the disk. Whoever does away with what would tell it again calls
 * this first: a mark .told, a directory in receiving/. Returns 0, or -1 with errno. */
int journal_sync(const struct spool *spool);

/* Is this the name of one of its files? */
bool journal_is_file(const char *name);

#endif
