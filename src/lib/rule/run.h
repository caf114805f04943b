/*
 * run: one evaluation: its memory, its bounds, how it fails.
 *
 * Memory comes from pools: one in the compiled rule, one for each evaluation; nothing is freed
 * singly.
 */
#ifndef RULE_RUN_H
#define RULE_RUN_H

#include "rule/rule.h"
#include "rule/value.h"

/* Bounds of a rule's text and of its evaluation. */
enum {
	RULE_MAX_TEXT = 64 * 1024,
	RULE_MAX_DEPTH = 200, /* bounds the recursion of parser and evaluator */
	RULE_MAX_ARGUMENTS = 16,
	RULE_COMPILE_BYTES = 32 * 1024 * 1024, /* more than any text of RULE_MAX_TEXT needs */
	RULE_RUN_BYTES = 1024 * 1024,
	RULE_RUN_STEPS = 1000 * 1000, /* one for each node, each list item, and 64 bytes of text */
	RULE_STEP_BYTES = 64,
};

struct rule_chunk;
struct rule_pool {
	struct rule_chunk *chunk; /* the newest first */
	size_t left;              /* bytes that may still be asked for */
};

/* NULL when the pool's bound is reached or memory is exhausted. */
void *rule_pool_alloc(struct rule_pool *pool, size_t size);
void rule_pool_free(struct rule_pool *pool);

struct rule_matcher; /* see pattern.c */

/* One evaluation. */
struct rule_run {
	struct rule_pool pool;
	size_t steps; /* that are left */
	rule_tag_fn *tag;
	const void *context;
	struct rule_matcher *matcher; /* NULL until a pattern is searched for */
	char *why;
	size_t why_size;
	struct rule_trace *trace; /* NULL: nobody asks */
};

/* What an evaluation has found of one node, for rule_explain(). */
struct rule_trace {
	enum { TRACE_SKIPPED, TRACE_VALUE, TRACE_FAILED } state;
	struct rule_value value; /* shares the run's pool */
};

/* Both return false, so that a caller can return them. */
bool rule_raise(struct rule_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool rule_raise_overflow(struct rule_run *run);
/* NULL when the run's bound of memory is reached; the reason is set. */
void *rule_alloc(struct rule_run *run, size_t size);
/* Takes steps from the run. */
bool rule_charge(struct rule_run *run, size_t steps);
/* For comparing a and b bytes each with each, at worst. */
bool rule_charge_product(struct rule_run *run, size_t a, size_t b);

/* The whole rule; false when it raised. run is begun by rule_run_begin() and ended by
 * rule_pool_free(). */
struct rule_run rule_run_begin(rule_tag_fn *tag, const void *context, char *why, size_t size);
bool rule_run_root(struct rule_run *run, const struct rule *rule, struct rule_value *out);

#endif
