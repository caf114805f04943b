/*
 * judge: does a line of the journal fit a query? A line has little of its series, so what is known
 * of that in the tree counts, and what an earlier line has told (complete has the UIDs and the
 * AccessionNumber): so what was deleted since is found as well.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/query.h"

struct judge {
	const struct query *query;
	const struct spool *spool;
	json_t *known; /* name of a job or an association: the words that fit it, a bit each */
};

/* A query has fewer words than this. */
enum { JUDGE_WORDS = 32 };

/* Looks at the tree, where the query asks for what lines lack. Dies without memory. */
void judge_open(struct judge *judge, const struct query *query, const struct spool *spool);
void judge_close(struct judge *judge);

/* Lines are to come in their order. follow: a job that is not known yet is looked for in the tree.
 */
bool judge_line(struct judge *judge, const json_t *line, bool follow);

#endif
