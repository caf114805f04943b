/*
 * acting: operands of a verb that changes the spool which are a query (query.h) rather than names.
 */
#ifndef CLI_ACTING_H
#define CLI_ACTING_H

#include "cli/operator.h"

/* For verb_kind.on_query. */
int acting_query(struct verb *verb, const struct verb_kind *kind, char *operand[], int count);

#endif
