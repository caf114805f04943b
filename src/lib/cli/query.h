/*
 * query: which series an operator means. The words of dcmspool(8), all of which must fit:
 *
 *	WORD            exactly a job's name or path, a PatientID, an AccessionNumber, the UID of
 *	                a study, a series or an image
 *	KEY=GLOB        a tag of series.json, or target, rule, sender, state
 *	patient=TEXT    PatientID, or how a part of PatientName begins
 *	since=, until=  when the first image arrived
 *
 * target and state speak of places: a series fits when one of its places does, and those that do
 * are what a verb acts on.
 */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "spool/queues.h"
#include "spool/spool.h"
#include "spool/walk.h"

enum query_key {
	QUERY_WORD,
	QUERY_TAG,
	QUERY_PATIENT,
	QUERY_TARGET,
	QUERY_RULE,
	QUERY_SENDER,
	QUERY_STATE,
	QUERY_SINCE,
	QUERY_UNTIL,
};

struct query_word {
	enum query_key key;
	const char *tag;  /* of QUERY_TAG, as series.json has it */
	const char *text; /* what the word says, behind its '=' */
	struct queued
		job;     /* of QUERY_WORD: the job that it may mean, of one target or of all ("") */
	int64_t time_us; /* of since and until */
};

struct query {
	struct query_word *word;
	size_t count;
	bool unfinished; /* places at which nothing more is to happen do not fit */
};

/* Takes words apart; before the spool is opened, since they may have paths. The texts are the
 * words'. Returns 0, or -1 after having said what is wrong. */
int query_read(struct query *query, const struct conf *conf, char *const words[], size_t count);
void query_free(struct query *query);

/* Walks the tree and leaves what fits, with meant of its places set and series.json read; walks
 * again when what may fit has moved on meanwhile. The caller frees walk. Dies without memory. */
void query_find(const struct query *query, const struct spool *spool, struct walk *walk);

#endif
