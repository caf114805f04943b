/*
 * eval: walks the tree of a compiled rule.
 *
 * The rule is only read. Everything that an evaluation makes lies in its own pool, which ends with
 * it; text of tags and constants is shared, not copied.
 */
#include "rule/run.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rule/call.h"
#include "rule/text.h"
#include "rule/tree.h"

/* ---- memory that is given back all at once, with a bound ---- */

enum { CHUNK_SIZE = 4096 };

struct rule_chunk {
	struct rule_chunk *next;
	size_t size, used; /* of data */
	_Alignas(max_align_t) char data[];
};

static struct rule_chunk *chunk_new(struct rule_pool *pool, size_t size)
{
	struct rule_chunk *chunk;

	if (size < CHUNK_SIZE)
		size = CHUNK_SIZE;
	chunk = malloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	*chunk = (struct rule_chunk){ .next = pool->chunk, .size = size };
	pool->chunk = chunk;
	return chunk;
}

void *rule_pool_alloc(struct rule_pool *pool, size_t size)
{
	struct rule_chunk *chunk = pool->chunk;
	const size_t unit = _Alignof(max_align_t);
	void *result;

	if (size > pool->left || pool->left - size < unit)
		return NULL;
	size = (size + unit - 1) / unit * unit;
	if (!chunk || chunk->size - chunk->used < size)
		chunk = chunk_new(pool, size);
	if (!chunk)
		return NULL;
	result = chunk->data + chunk->used;
	chunk->used += size;
	pool->left -= size;
	return result;
}

void rule_pool_free(struct rule_pool *pool)
{
	struct rule_chunk *next;

	for (struct rule_chunk *chunk = pool->chunk; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	pool->chunk = NULL;
}

/* ---- bounds and failures ---- */

bool rule_raise(struct rule_run *run, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	rule_message_list(run->why, run->why_size, format, arguments);
	va_end(arguments);
	return false;
}

bool rule_raise_overflow(struct rule_run *run)
{
	return rule_raise(run, "OverflowError: the result is too large; ints have 64 bits");
}

void *rule_alloc(struct rule_run *run, size_t size)
{
	void *result = rule_pool_alloc(&run->pool, size);

	if (!result)
		(void)rule_raise(run, "MemoryError: the rule needs more than %d KiB",
			(int)RULE_RUN_BYTES / 1024);
	return result;
}

bool rule_charge(struct rule_run *run, size_t steps)
{
	if (run->steps < steps)
		return rule_raise(run, "RuntimeError: the rule takes more than %d steps",
			(int)RULE_RUN_STEPS);
	run->steps -= steps;
	return true;
}

bool rule_charge_product(struct rule_run *run, size_t a, size_t b)
{
	size_t product;

	if (__builtin_mul_overflow(a + 1, b + 1, &product))
		product = SIZE_MAX;
	return rule_charge(run, product / RULE_STEP_BYTES);
}

/* ---- the walk ---- */

static bool evaluate(struct rule_run *run, const struct rule_node *node, struct rule_value *out);

static bool eval_tag(struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	const char *text = run->tag(run->context, node->constant.str.data);

	*out = rule_str(text, strlen(text));
	return true;
}

static bool eval_items(struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	struct rule_value *item = rule_alloc(run, node->kid_count * sizeof(*item));
	size_t i = 0;

	if (!item)
		return false;
	for (const struct rule_node *kid = node->first; kid; kid = kid->next)
		if (!evaluate(run, kid, &item[i++]))
			return false;
	if (node->type == NODE_SET)
		return rule_set_make(run, item, node->kid_count, out);
	if (node->type == NODE_DICT)
		return rule_dict_make(run, item, node->kid_count, out);
	*out = (struct rule_value){ .type = node->type == NODE_LIST ? RULE_LIST : RULE_TUPLE,
		.items = { item, node->kid_count } };
	return true;
}

/* The value is that of the operand that decided. */
static bool eval_logic(struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	const bool decides = node->type == NODE_OR;

	for (const struct rule_node *kid = node->first; kid; kid = kid->next) {
		if (!evaluate(run, kid, out))
			return false;
		if (rule_truth(out) == decides)
			break;
	}
	return true;
}

/* a < b < c is a < b and b < c, with b evaluated once. */
static bool eval_compare(struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	struct rule_value left, right;
	bool holds = true;

	if (!evaluate(run, node->first, &left))
		return false;
	for (const struct rule_node *kid = node->first->next; kid && holds; kid = kid->next) {
		if (!evaluate(run, kid, &right) ||
			!rule_compare(run, kid->compare, &left, &right, &holds))
			return false;
		left = right;
	}
	*out = rule_bool(holds);
	return true;
}

static bool eval_unary(struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	static const struct rule_value minus = { .type = RULE_INT, .integer = -1 };
	static const struct rule_value plus = { .type = RULE_INT, .integer = 1 };
	struct rule_value v;

	if (!evaluate(run, node->first, &v))
		return false;
	if (node->type == NODE_NOT) {
		*out = rule_bool(!rule_truth(&v));
		return true;
	}
	if (!(node->type == NODE_INVERT ? rule_is_integer(&v) : rule_is_number(&v)))
		return rule_raise(run, "TypeError: bad operand type for unary %c: '%s'",
			node->type == NODE_INVERT ? '~'
			: node->type == NODE_PLUS ? '+'
						  : '-',
			rule_type_name(&v));
	if (node->type == NODE_INVERT) {
		*out = rule_int(~v.integer);
		return true;
	}
	/* Multiplying makes an int of a bool, watches over 64 bits, and keeps the sign of zero. */
	return rule_number_binary(
		run, RULE_MULTIPLY, &v, node->type == NODE_PLUS ? &plus : &minus, out);
}

static bool eval_arithmetic(
	struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	struct rule_value a, b;

	return evaluate(run, node->first, &a) && evaluate(run, node->last, &b) &&
	       rule_binary(run, node->arithmetic, &a, &b, out);
}

static bool eval_conditional(
	struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	struct rule_value condition;

	if (!evaluate(run, node->first, &condition))
		return false;
	return evaluate(run, rule_truth(&condition) ? node->first->next : node->last, out);
}

/* Calls and subscripts: the kids are the operands, at most one object and its arguments. */
static bool eval_operands(
	struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	struct rule_value operand[1 + RULE_MAX_ARGUMENTS];
	size_t count = 0;

	for (const struct rule_node *kid = node->first; kid; kid = kid->next)
		if (!evaluate(run, kid, &operand[count++]))
			return false;
	switch (node->type) {
	case NODE_INDEX:
		return rule_index(run, &operand[0], &operand[1], out);
	case NODE_SLICE:
		return rule_slice(run, &operand[0], &operand[1], out);
	case NODE_METHOD:
		return rule_call_method(run, node->function, operand, count, out);
	default:
		return node->function->call(run, operand, count, out);
	}
}

/* The work that is done with a value is in proportion to its size, so its size is what it costs. */
static size_t cost(const struct rule_value *v)
{
	if (v->type == RULE_STR)
		return 1 + v->str.length / RULE_STEP_BYTES;
	return 1 + (rule_has_items(v) ? v->items.count : 0);
}

static inline bool evaluate_plain(
	struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	static bool (*const walk[])(
		struct rule_run *, const struct rule_node *, struct rule_value *) = {
		[NODE_TAG] = eval_tag,
		[NODE_LIST] = eval_items,
		[NODE_TUPLE] = eval_items,
		[NODE_SET] = eval_items,
		[NODE_DICT] = eval_items,
		[NODE_AND] = eval_logic,
		[NODE_OR] = eval_logic,
		[NODE_NOT] = eval_unary,
		[NODE_COMPARE] = eval_compare,
		[NODE_NEGATE] = eval_unary,
		[NODE_PLUS] = eval_unary,
		[NODE_INVERT] = eval_unary,
		[NODE_ARITHMETIC] = eval_arithmetic,
		[NODE_CONDITIONAL] = eval_conditional,
		[NODE_FUNCTION] = eval_operands,
		[NODE_METHOD] = eval_operands,
		[NODE_INDEX] = eval_operands,
		[NODE_SLICE] = eval_operands,
	};

	if (node->type == NODE_CONSTANT)
		*out = node->constant;
	else if (!walk[node->type](run, node, out))
		return false;
	return rule_charge(run, cost(out));
}

static bool evaluate_traced(
	struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	bool done = evaluate_plain(run, node, out);
	struct rule_trace *trace = &run->trace[node->number];

	trace->state = done ? TRACE_VALUE : TRACE_FAILED;
	if (done)
		trace->value = *out;
	return done;
}

static bool evaluate(struct rule_run *run, const struct rule_node *node, struct rule_value *out)
{
	return run->trace ? evaluate_traced(run, node, out) : evaluate_plain(run, node, out);
}

struct rule_run rule_run_begin(rule_tag_fn *tag, const void *context, char *why, size_t size)
{
	return (struct rule_run){
		.pool = { .left = RULE_RUN_BYTES },
		.steps = RULE_RUN_STEPS,
		.tag = tag,
		.context = context,
		.why = why,
		.why_size = size,
	};
}

bool rule_run_root(struct rule_run *run, const struct rule *rule, struct rule_value *out)
{
	return evaluate(run, rule->root, out);
}

/* *text, when text is not NULL, becomes the value as Python writes it; the caller frees. */
static enum rule_result run_rule(const struct rule *rule, rule_tag_fn *tag, const void *context,
	char **text, char *why, size_t size)
{
	struct rule_run run = rule_run_begin(tag, context, why, size);
	struct rule_value value, written;
	enum rule_result result = RULE_FAILED;

	if (rule_run_root(&run, rule, &value))
		result = rule_truth(&value) ? RULE_TRUE : RULE_FALSE;
	if (text && result != RULE_FAILED) {
		*text = NULL;
		if (rule_to_repr(&run, &value, &written))
			*text = strndup(written.str.data, written.str.length);
		if (!*text)
			result = RULE_FAILED;
	}
	rule_pool_free(&run.pool);
	return result;
}

enum rule_result rule_evaluate(
	const struct rule *rule, rule_tag_fn *tag, const void *context, char *why, size_t size)
{
	return run_rule(rule, tag, context, NULL, why, size);
}

enum rule_result rule_evaluate_text(const struct rule *rule, rule_tag_fn *tag, const void *context,
	char **text, char *why, size_t size)
{
	return run_rule(rule, tag, context, text, why, size);
}
