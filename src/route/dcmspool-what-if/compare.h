/*
 * compare: what was decided about a series, and what would be now.
 */
#ifndef COMPARE_H
#define COMPARE_H

#include "conf/conf.h"
#include "jobs.h"
#include "tally.h"

struct compared {
	size_t unchanged, other_rules, changed,
		unreadable; /* series; other_rules are unchanged, too */
	struct tally tally;
};

/* Compares the series that has these copies; prints it when it changes or cannot be compared;
 * counts it. */
void compare(const struct conf *conf, const struct job_copy *copy, size_t count,
	struct compared *compared);

#endif
