/*
 * operator: what the verbs have in common by which an operator changes the spool: dcmspool hold,
 * release, retry, cancel. Their answers go to standard output, what is wrong goes to the log.
 */
#ifndef OPERATOR_H
#define OPERATOR_H

#include "conf/conf.h"
#include "spool/spool.h"

/* Exits with problem and usage when there is no operand. */
void operator_needs(int operands, const char *problem, const char *usage);

/* Opens the spool. Dies when it belongs to somebody else: what root or a colleague makes in it, its
 * owner could not change, the journal of a new day for example. */
void operator_open(struct spool *spool, const struct conf *conf);

/* Who is asking: the user, or whoever called sudo. */
void operator_name(char *out, size_t size);

/* Says that there is no such target, and which there are. Returns EXIT_PERMANENT. */
int operator_no_target(const struct conf *conf, const char *name);

/* Dies when standard output could not be written; else returns code. */
int operator_close(int code);

#endif
