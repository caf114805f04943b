/*
 * ends: what became of a job at one target ("": none, no rule wanted it). An object of account.h:
 *
 *	planned   by the rules
 *	told      { line: images }: it came to rest, by the last line of its kind
 *	earlier   images of lines before it was sent again by hand
 *	taken     images that were taken to be sent again
 *	again     the last line said so
 *	requeues  lines that said so
 *	requeued  how often that was by its ledger, as its last lines say
 *	more, gone  images that were brought to it from another target, or taken to one
 *	failed    images of which that was told
 *	deleted   its retention is over
 *	waits     images in outgoing/, sending/ or routing/
 *	rests     images in success/, discard/ and error/; in_error: of these in error/
 *	moved     { from: images that were taken from where they rested, by hand }
 */
#ifndef ENDS_H
#define ENDS_H

#include <jansson.h>

#include "account.h"

json_t *ends_of(json_t *job, const char *target);

/* A line says that it came to rest: of the same line again the last counts. */
void ends_tell(json_t *end, const char *event, const char *job, json_int_t images);
/* A line says that images were taken from where they rested, to be sent again. false: it is the
 * line of before once more, written after a crash. */
bool ends_take(json_t *end, json_int_t images);

/* The job that lay there under this name, "<job>.<target>" at rest, "<job>" in a queue or in
 * discard/, was moved to incoming/ by hand. */
void ends_move(struct account *account, const char *name, json_int_t images);

/* How many were moved: of an end, or of a job. */
json_int_t ends_moved(const json_t *object);

/* How many have come to rest and were not taken away, by the journal. */
json_int_t ends_rested(const json_t *end);

/* The target in the name of a job at rest, "<job>.<target>~2": without the number. "": none. */
enum { ENDS_NAME_SIZE = 256 };
void ends_target(const char *name, char target[ENDS_NAME_SIZE]);

#endif
