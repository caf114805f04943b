/*
 * tally: to how many series each rule applied before, and would now.
 */
#ifndef TALLY_H
#define TALLY_H

#include <jansson.h>
#include <stddef.h>

#include "conf/conf.h"
#include "decide/decide.h"

struct tally_rule {
	char *name;
	size_t before, now, failed;
};
struct tally {
	struct tally_rule *rule; /* those of the configuration first */
	size_t count;
	size_t nobody_before, nobody_now; /* series to which no rule applies */
};

/* These die without memory. */
void tally_open(struct tally *tally, const struct conf *conf);
void tally_add(struct tally *tally, const struct conf *conf, const json_t *plan,
	const struct decision *decision);
void tally_print(const struct tally *tally);
void tally_free(struct tally *tally);

#endif
