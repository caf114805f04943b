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
};

/* Compiles text. known(name) says whether a tag of that name exists (names are case-insensitive).
 * Returns NULL with *error filled in. rule_free() frees; rule_free(NULL) is allowed. */
struct rule *rule_compile(
	const char *text, bool (*known)(const char *name), struct rule_error *error);
void rule_free(struct rule *rule);

/* Adds two lines, the second without its end: that of the mistake, and a caret under the place. */
void rule_show(
	struct buf *out, const char *text, const struct rule_error *error, const char *margin);

/* The first byte of length that is not UTF-8, or NULL. */
const char *rule_not_utf8(const char *text, size_t length);

/* Whether the rule can be true for no tags at all, and why; what is said of it is certain, but not
 * every such rule is found. */
bool rule_never(const struct rule *rule, char *why, size_t size);

/* The text without what means nothing: two that compile, and have the same, are the same rule. The
 * caller frees; NULL without memory. */
char *rule_normal(const char *text);

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

/* One sub-expression, and what became of it in an evaluation. */
enum rule_part_state {
	RULE_PART_VALUE,
	RULE_PART_SKIPPED, /* not evaluated: what stands before it decided, or failed */
	RULE_PART_FAILED,  /* raised, or an operand of it did */
	RULE_PART_MORE,    /* operands of a long chain that are left out; none of them decided */
};
struct rule_part {
	enum rule_part_state state;
	unsigned depth; /* 0: the whole rule; 1: its operands */
	/* As written, on one line, without comments; a cut one ends with "...". What stands in
	 * quotes may hold control characters. NULL: RULE_PART_MORE. */
	char *text;
	/* RULE_PART_VALUE: as Python's repr() writes it; a long one is cut and says how long it is.
	 */
	char *value;
	bool raised;  /* RULE_PART_FAILED: it was this one, for explanation.why */
	size_t count; /* RULE_PART_MORE: how many */
	bool skipped; /* RULE_PART_MORE: they were not evaluated */
};

struct rule_explanation {
	enum rule_result result; /* that of rule_evaluate() */
	char why[RULE_WHY];      /* RULE_FAILED */
	struct rule_part *part;  /* each before its operands; literals are left out */
	size_t count;
	bool cut; /* there were more, or deeper ones */
};

/* Evaluates as rule_evaluate() does, and tells how it came to that. The size is bounded, whatever
 * rule and values are. Returns 0, or -1 without memory. rule_explanation_free() frees in any case.
 */
int rule_explain(const struct rule *rule, rule_tag_fn *tag, const void *context,
	struct rule_explanation *out);
void rule_explanation_free(struct rule_explanation *explanation);

#endif
