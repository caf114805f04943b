/*
 * explain: how an evaluation came to its result. A program that only evaluates links none of it.
 */
#ifndef RULE_EXPLAIN_H
#define RULE_EXPLAIN_H

#include "rule/rule.h"

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
