/*
 * never: what can be said of a rule before any series comes. A program that only evaluates links
 * none of it.
 */
#ifndef RULE_NEVER_H
#define RULE_NEVER_H

#include "rule/rule.h"

/* Whether the rule can be true for no tags at all, and why; what is said of it is certain, but not
 * every such rule is found. */
bool rule_never(const struct rule *rule, char *why, size_t size);

/* The text without what means nothing: two that compile, and have the same, are the same rule. The
 * caller frees; NULL without memory. */
char *rule_normal(const char *text);

#endif
