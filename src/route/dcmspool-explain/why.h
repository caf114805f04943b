/*
 * why: prints how a rule came to its answer.
 */
#ifndef WHY_H
#define WHY_H

#include <jansson.h>

#include "conf/conf.h"

/* The rule's expression and all below it, evaluated with these tags (decide_tags()). why: the
 * reason of a rule that failed (else NULL), told when it is not one of these tags'. -1 with errno.
 */
int why_print(const struct conf_rule *rule, const char *why, const json_t *tags);

#endif
