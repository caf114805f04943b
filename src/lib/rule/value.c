/*
 * value: what values are, whether they are true, how they compare, and how they are written.
 *
 * The texts of errors are those of CPython 3.11.
 */
#include "rule/internal.h"

#include <stdarg.h>
#include <string.h>

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

const char *rule_type_name(const struct rule_value *v)
{
	static const char *const names[] = {
		[RULE_NONE] = "NoneType",
		[RULE_BOOL] = "bool",
		[RULE_INT] = "int",
		[RULE_FLOAT] = "float",
		[RULE_STR] = "str",
		[RULE_LIST] = "list",
		[RULE_TUPLE] = "tuple",
		[RULE_PATTERN] = "pattern",
	};

	return names[v->type];
}

bool rule_truth(const struct rule_value *v)
{
	switch (v->type) {
	case RULE_NONE:
		return false;
	case RULE_FLOAT:
		return v->real != 0; /* a NaN is true */
	case RULE_STR:
		return v->str.length != 0;
	case RULE_LIST:
	case RULE_TUPLE:
		return v->items.count != 0;
	default:
		return v->integer != 0;
	}
}

/* Bytes of UTF-8 are in the order of the code points. */
static int text_order(struct rule_str a, struct rule_str b)
{
	int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);

	return order ? (order > 0) - (order < 0) : (a.length > b.length) - (a.length < b.length);
}

/* The first item where a and b differ, or the shorter one's length. */
static bool items_differ(
	struct rule_run *run, const struct rule_items *a, const struct rule_items *b, size_t *at)
{
	bool equal = true;

	for (*at = 0; *at < a->count && *at < b->count; ++*at) {
		if (!rule_equal(run, &a->item[*at], &b->item[*at], &equal))
			return false;
		if (!equal)
			break;
	}
	return true;
}

bool rule_equal(
	struct rule_run *run, const struct rule_value *a, const struct rule_value *b, bool *equal)
{
	size_t at;

	*equal = false;
	if (!rule_charge(run, 1))
		return false;
	if (rule_is_number(a) && rule_is_number(b)) {
		*equal = rule_number_order(a, b) == 0;
	} else if (a->type != b->type) {
		return true;
	} else if (a->type == RULE_STR) {
		if (a->str.length != b->str.length)
			return true;
		*equal = text_order(a->str, b->str) == 0;
		return rule_charge(run, a->str.length / RULE_STEP_BYTES);
	} else if (rule_is_items(a)) {
		if (a->items.count != b->items.count)
			return true;
		if (!items_differ(run, &a->items, &b->items, &at))
			return false;
		*equal = at == a->items.count;
	} else {
		*equal = true; /* None */
	}
	return true;
}

static bool order_holds(enum rule_compare op, int order)
{
	switch (op) {
	case RULE_LT:
		return order == -1;
	case RULE_LE:
		return order == -1 || order == 0;
	case RULE_GT:
		return order == 1;
	default:
		return order == 1 || order == 0;
	}
}

static bool compare_order(struct rule_run *run, enum rule_compare op, const struct rule_value *a,
	const struct rule_value *b, bool *holds)
{
	static const char *const signs[] = {
		[RULE_LT] = "<", [RULE_LE] = "<=", [RULE_GT] = ">", [RULE_GE] = ">="
	};
	size_t at;

	if (rule_is_number(a) && rule_is_number(b)) {
		*holds = order_holds(op, rule_number_order(a, b));
		return true;
	}
	if (a->type == RULE_STR && b->type == RULE_STR) {
		*holds = order_holds(op, text_order(a->str, b->str));
		return rule_charge(
			run, (a->str.length < b->str.length ? a : b)->str.length / RULE_STEP_BYTES);
	}
	if (!rule_is_items(a) || a->type != b->type)
		return rule_raise(run,
			"TypeError: '%s' not supported between instances of '%s' and '%s'",
			signs[op], rule_type_name(a), rule_type_name(b));
	if (!items_differ(run, &a->items, &b->items, &at))
		return false;
	if (at < a->items.count && at < b->items.count)
		return compare_order(run, op, &a->items.item[at], &b->items.item[at], holds);
	*holds = order_holds(
		op, (a->items.count > b->items.count) - (a->items.count < b->items.count));
	return true;
}

static bool contains(struct rule_run *run, const struct rule_value *whole,
	const struct rule_value *part, bool *found)
{
	*found = false;
	if (whole->type == RULE_STR) {
		if (part->type != RULE_STR)
			return rule_raise(run,
				"TypeError: 'in <string>' requires string as left operand, not %s",
				rule_type_name(part));
		*found = rule_text_find(whole->str, part->str, 0) != SIZE_MAX;
		return true;
	}
	if (!rule_is_items(whole))
		return rule_raise(run, "TypeError: argument of type '%s' is not iterable",
			rule_type_name(whole));
	for (size_t i = 0; i < whole->items.count && !*found; i++)
		if (!rule_equal(run, part, &whole->items.item[i], found))
			return false;
	return true;
}

bool rule_compare(struct rule_run *run, enum rule_compare op, const struct rule_value *a,
	const struct rule_value *b, bool *holds)
{
	bool done = true;

	switch (op) {
	case RULE_EQ:
	case RULE_NE:
		done = rule_equal(run, a, b, holds);
		break;
	case RULE_IN:
	case RULE_NOT_IN:
		done = contains(run, b, a, holds);
		break;
	case RULE_IS:
	case RULE_IS_NOT: /* with None, True or False only: the parser sees to that */
		*holds = a->type == b->type && (a->type == RULE_NONE || a->integer == b->integer);
		break;
	default:
		return compare_order(run, op, a, b, holds);
	}
	if (op == RULE_NE || op == RULE_NOT_IN || op == RULE_IS_NOT)
		*holds = !*holds;
	return done;
}
