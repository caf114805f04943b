/*
 * rule: the expression language of dcmspool-rules(5), a subset of Python's expressions.
 *
 * A rule is compiled once; evaluation cannot loop, takes a bounded number of steps, allocates a
 * bounded amount and touches nothing. A compiled rule is never changed: any number of threads may
 * evaluate it at once.
 */
#ifndef RULE_H
#define RULE_H

#include <stdbool.h>
#include <stddef.h>

struct rule;

struct buf;

enum { RULE_WHY = 512 }; /* bytes of a reason; a longer one is cut */

struct rule_error {
	int line, column;  /* of the mistake, from 1; columns count characters, not bytes */
	char message[256]; /* what is wrong and what was expected; one line */
	char name[65];     /* of a tag that is not known; "" for other mistakes */
	bool no_memory;    /* no mistake: it may compile later */
};

/* Compiles text. known(name) says whether a tag of that name exists (names are case-insensitive).
 * Returns NULL with *error filled in. rule_free() frees; rule_free(NULL) is allowed. */
struct rule *rule_compile(
	const char *text, bool (*known)(const char *name), struct rule_error *error);
void rule_free(struct rule *rule);

/* Does the rule name this tag? Case-insensitive. */
bool rule_names(const struct rule *rule, const char *tag);

/* Adds two lines, the second without its end: that of the mistake, and a caret under the place. */
void rule_show(
	struct buf *out, const char *text, const struct rule_error *error, const char *margin);

/* The first byte of length that is not UTF-8, or NULL. */
const char *rule_not_utf8(const char *text, size_t length);

/* The value of a tag: UTF-8, "" when absent, never NULL. It stays valid during the evaluation. The
 * name is spelt as in the rule. */
typedef const char *rule_tag_fn(const void *context, const char *name);

enum rule_result { RULE_FALSE, RULE_TRUE, RULE_FAILED };

/* RULE_FAILED: the evaluation raised what Python would raise; why (of size bytes) says what, one
 * line of UTF-8. Like Python's own messages it may quote the value of a tag: not for a log. */
enum rule_result rule_evaluate(
	const struct rule *rule, rule_tag_fn *tag, const void *context, char *why, size_t size);

/* The same; unless it failed, *text is the value as Python's repr() writes it. The caller frees. */
enum rule_result rule_evaluate_text(const struct rule *rule, rule_tag_fn *tag, const void *context,
	char **text, char *why, size_t size);

#endif
