/*
 * journal_read: the lines of the journal, in the order of writing. dcmspool-journal(5).
 *
 * The reader holds a position that can be kept and come back to: what is being written meanwhile,
 * today's file for example, is read by asking again. A line that is no JSON object is skipped and
 * counted. A last line without its end is one that is being written, and left for the next time; it
 * counts as a line when a later day has begun.
 */
#ifndef SPOOL_JOURNAL_READ_H
#define SPOOL_JOURNAL_READ_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "spool/spool.h"

enum { JOURNAL_FILE_SIZE = sizeof("2026-11-22.jsonl") };

struct journal_reader {
	const struct spool *spool;
	int64_t from_us, until_us;    /* times of lines: from <= time < until; until 0: no end */
	char file[JOURNAL_FILE_SIZE]; /* whose lines come; "": none yet */
	off_t offset;                 /* in it, behind the last line */
	size_t skipped;               /* lines that were no JSON */
	const char *const *only;      /* events, ends with NULL: other lines are not even parsed;
					 NULL: all */
	FILE *stream;
	char *text; /* of the last line; length: up to its end */
	size_t length, size;
};

/* From the first line of these moments (microseconds since 1970) on. To begin elsewhere, at a
 * position kept of another reader, set file and offset before the first line is read. */
void journal_reader_open(struct journal_reader *reader, const struct spool *spool, int64_t from_us,
	int64_t until_us);
/* Begins about where lines of from_us are, without reading what was written before: a day has many.
 * Before the first line is read. What is to come is not known: when this fails (-1 with errno), all
 * of the day is read. */
int journal_reader_seek(struct journal_reader *reader);
void journal_reader_close(struct journal_reader *reader);

/* The next line, which the caller decrefs. 1: there is one; 0: there is none now, ask again later;
 * -1 with errno. */
int journal_reader_next(struct journal_reader *reader, json_t **line);

/* The text of a key, "" when the line has none. Borrowed. */
const char *journal_text(const json_t *line, const char *key);
/* A number, 0 when the line has none. */
long journal_number(const json_t *line, const char *key);
/* When it was written, microseconds since 1970; -1: not known. */
int64_t journal_time_us(const json_t *line);

#endif
