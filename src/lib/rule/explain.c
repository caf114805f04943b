/*
 * explain: what an evaluation made of each sub-expression.
 *
 * The evaluation is the usual one, with a trace of what each node gave, so that the answer is the
 * router's. What is told is bounded in every direction: depth, operands, bytes of text and of
 * values.
 */
#include "rule/explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "rule/run.h"
#include "rule/text.h"
#include "rule/tree.h"

enum {
	PARTS_MAX = 400,
	DEPTH_MAX = 16,
	KIDS_MAX = 12,     /* of one node: the first, and the one that decided */
	TEXT_BYTES = 1000, /* what of the text and of a value is told */
	VALUE_BYTES = 240,
};

struct teller {
	struct rule_explanation *out;
	const struct rule_trace *trace;
};

/* What everybody sees is not told. */
static bool is_literal(const struct rule_node *node)
{
	if (node->type == NODE_CONSTANT)
		return true;
	if (!rule_node_is_display(node) && node->type != NODE_NEGATE && node->type != NODE_PLUS)
		return false;
	for (const struct rule_node *kid = node->first; kid; kid = kid->next)
		if (!is_literal(kid))
			return false;
	return true;
}

/* Operands of these are told even when they are literals: their truth is what counts. */
static bool is_logic(const struct rule_node *node)
{
	return node->type == NODE_AND || node->type == NODE_OR || node->type == NODE_NOT ||
	       node->type == NODE_CONDITIONAL;
}

static bool is_token(const struct rule_token *token, const char *set)
{
	return token->type == TOKEN_OPERATOR && token->length == 1 && strchr(set, *token->start);
}

/* The text on one line: its tokens, with one space where there was any, or a comment. */
static char *one_line(const struct rule_node *node)
{
	struct rule_pool pool = { .left = RULE_COMPILE_BYTES };
	struct rule_error unused;
	struct rule_lexer lexer = { .text = node->text,
		.at = node->text,
		.end = node->text + node->length,
		.pool = &pool,
		.error = &unused };
	struct rule_token before = { .start = node->text }, token;
	struct buf b = { 0 };

	buf_puts(&b, "");
	while (b.length <= TEXT_BYTES && rule_lex_next(&lexer, &token) && token.type != TOKEN_END) {
		if (token.start != before.start + before.length && !is_token(&before, "([") &&
			!is_token(&token, ")]"))
			buf_puts(&b, " ");
		buf_add(&b, token.start, token.length);
		before = token;
	}
	rule_pool_free(&pool);
	if (b.length > TEXT_BYTES && !b.failed) {
		for (b.length = TEXT_BYTES; ((unsigned char)b.data[b.length] & 0xc0) == 0x80;)
			b.length--;
		buf_puts(&b, "...");
	}
	if (b.failed)
		buf_free(&b);
	return b.data;
}

static char *value_text(const struct rule_value *value)
{
	struct buf b = { 0 };
	bool cut;
	char *text = rule_repr_cut(value, VALUE_BYTES, &cut);

	if (!text || !cut)
		return text;
	buf_printf(&b, "%s... ", text);
	if (value->type == RULE_STR)
		buf_printf(&b, "(%zu characters)", rule_utf8_count(value->str));
	else if (rule_has_items(value))
		buf_printf(
			&b, "(%zu items)", value->items.count / (value->type == RULE_DICT ? 2 : 1));
	free(text);
	if (b.failed)
		buf_free(&b);
	return b.data;
}

/* The failure of an operand is one of the whole; the innermost raised. */
static bool raised(const struct teller *t, const struct rule_node *node)
{
	for (const struct rule_node *kid = node->first; kid; kid = kid->next)
		if (t->trace[kid->number].state == TRACE_FAILED)
			return false;
	return true;
}

/* A new part at the end; NULL when there are too many. */
static struct rule_part *part_new(struct teller *t, enum rule_part_state state, unsigned depth)
{
	struct rule_part *part = &t->out->part[t->out->count];

	if (t->out->count == PARTS_MAX) {
		t->out->cut = true;
		return NULL;
	}
	t->out->count++;
	*part = (struct rule_part){ .state = state, .depth = depth };
	return part;
}

static void tell_more(struct teller *t, size_t count, bool skipped, unsigned depth)
{
	struct rule_part *part = count ? part_new(t, RULE_PART_MORE, depth) : NULL;

	if (part) {
		part->count = count;
		part->skipped = skipped;
	}
}

static bool tell(struct teller *t, const struct rule_node *node, unsigned depth);

/* The operand behind which nothing was evaluated, or NULL. */
static const struct rule_node *last_evaluated(
	const struct teller *t, const struct rule_node *parent)
{
	const struct rule_node *last = NULL;

	for (const struct rule_node *kid = parent->first; kid; kid = kid->next)
		if (t->trace[kid->number].state != TRACE_SKIPPED)
			last = kid;
	return last;
}

static bool tell_kids(struct teller *t, const struct rule_node *parent, unsigned depth)
{
	const struct rule_node *last = last_evaluated(t, parent);
	size_t told = 0, more = 0;

	for (const struct rule_node *kid = parent->first; kid; kid = kid->next) {
		if (kid->length == 0 || (is_literal(kid) && !is_logic(parent)))
			continue;
		if (told >= KIDS_MAX - 1 && kid != last) {
			more++;
			continue;
		}
		tell_more(t, more, false, depth);
		more = 0;
		if (!tell(t, kid, depth))
			return false;
		told++;
	}
	tell_more(t, more, t->trace[parent->last->number].state == TRACE_SKIPPED, depth);
	return true;
}

/* node and what is below it. False without memory. */
static bool tell(struct teller *t, const struct rule_node *node, unsigned depth)
{
	static const enum rule_part_state states[] = { [TRACE_SKIPPED] = RULE_PART_SKIPPED,
		[TRACE_VALUE] = RULE_PART_VALUE,
		[TRACE_FAILED] = RULE_PART_FAILED };
	const struct rule_trace *trace = &t->trace[node->number];
	struct rule_part *part = part_new(t, states[trace->state], depth);

	if (!part)
		return true;
	part->text = one_line(node);
	if (trace->state == TRACE_VALUE)
		part->value = value_text(&trace->value);
	if (!part->text || (trace->state == TRACE_VALUE && !part->value))
		return false;
	part->raised = trace->state == TRACE_FAILED && raised(t, node);
	if (trace->state == TRACE_SKIPPED || !node->first)
		return true;
	if (depth + 1 == DEPTH_MAX) {
		t->out->cut = true;
		return true;
	}
	return tell_kids(t, node, depth + 1);
}

int rule_explain(const struct rule *rule, rule_tag_fn *tag, const void *context,
	struct rule_explanation *out)
{
	struct rule_run run;
	struct rule_value value;
	struct teller teller = { .out = out };
	bool done = false;

	*out = (struct rule_explanation){ .result = RULE_FAILED };
	run = rule_run_begin(tag, context, out->why, sizeof(out->why));
	run.trace = calloc(rule->node_count, sizeof(*run.trace));
	out->part = calloc(PARTS_MAX, sizeof(*out->part));
	if (run.trace && out->part) {
		if (rule_run_root(&run, rule, &value))
			out->result = rule_truth(&value) ? RULE_TRUE : RULE_FALSE;
		teller.trace = run.trace;
		done = tell(&teller, rule->root, 0);
	}
	rule_pool_free(&run.pool);
	free(run.trace);
	return done ? 0 : -1;
}

void rule_explanation_free(struct rule_explanation *explanation)
{
	for (size_t i = 0; i < explanation->count; i++) {
		free(explanation->part[i].text);
		free(explanation->part[i].value);
	}
	free(explanation->part);
	*explanation = (struct rule_explanation){ 0 };
}
