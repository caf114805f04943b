/*
 * value: what values are, whether they are true, how they compare, and Python's str() and repr().
 *
 * The texts of errors are those of CPython 3.11. One difference: Python escapes characters as well
 * that Unicode has not assigned yet.
 */
#include "rule/value.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "rule/run.h"
#include "rule/text.h"

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
		[RULE_SET] = "set",
		[RULE_DICT] = "dict",
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
	case RULE_SET:
	case RULE_DICT:
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
	} else if (a->type == RULE_SET) {
		return a->items.count != b->items.count || rule_set_within(run, a, b, equal);
	} else if (a->type == RULE_DICT) {
		return rule_dict_equal(run, a, b, equal);
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

/* Sets are in order when one is a part of the other. */
static bool set_order(struct rule_run *run, enum rule_compare op, const struct rule_value *a,
	const struct rule_value *b, bool *holds)
{
	const bool down = op == RULE_GT || op == RULE_GE;

	if (!rule_set_within(run, down ? b : a, down ? a : b, holds))
		return false;
	if ((op == RULE_LT || op == RULE_GT) && a->items.count == b->items.count)
		*holds = false;
	return true;
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
	if (a->type == RULE_SET && b->type == RULE_SET)
		return set_order(run, op, a, b, holds);
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
	if (whole->type == RULE_SET || whole->type == RULE_DICT)
		return rule_holds_key(run, whole, part, found);
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

/* ---- str and repr ---- */

static void add_escaped(struct buf *b, uint32_t code, const char *data, size_t bytes, char quote)
{
	static const char plain[] = "\n\r\t\\", letters[] = "nrt\\";
	const char *found = code && code < 0x80 ? strchr(plain, (int)code) : NULL;

	if (found)
		buf_printf(b, "\\%c", letters[found - plain]);
	else if (code == (unsigned char)quote)
		buf_printf(b, "\\%c", quote);
	else if ((bytes == 1 && code >= 0x80) || rule_case_is_hidden(code))
		buf_printf(b,
			code < 0x100     ? "\\x%02x"
			: code < 0x10000 ? "\\u%04x"
					 : "\\U%08x",
			(unsigned)code);
	else
		buf_add(b, data, bytes);
}

static void add_quoted(struct buf *b, struct rule_str s, size_t most)
{
	const char quote =
		s.length && memchr(s.data, '\'', s.length) && !memchr(s.data, '"', s.length) ? '"'
											     : '\'';
	size_t bytes;
	uint32_t code;

	buf_add(b, &quote, 1);
	for (size_t at = 0; at < s.length && b->length <= most; at += bytes) {
		code = rule_utf8_decode(s.data + at, s.length - at, &bytes);
		add_escaped(b, code, s.data + at, bytes, quote);
	}
	buf_add(b, &quote, 1);
}

static bool add_repr(struct rule_run *run, struct buf *b, const struct rule_value *v, size_t most);

static bool add_items(struct rule_run *run, struct buf *b, const struct rule_value *v, size_t most)
{
	static const char *const brackets[] = {
		[RULE_LIST] = "[]", [RULE_TUPLE] = "()", [RULE_SET] = "{}", [RULE_DICT] = "{}"
	};

	if (v->type == RULE_SET && v->items.count == 0) {
		buf_puts(b, "set()"); /* {} is a dict */
		return true;
	}
	buf_add(b, brackets[v->type], 1);
	for (size_t i = 0; i < v->items.count; i++) {
		if (i)
			buf_puts(b, v->type == RULE_DICT && i % 2 ? ": " : ", ");
		if (!add_repr(run, b, &v->items.item[i], most))
			return false;
	}
	if (v->type == RULE_TUPLE && v->items.count == 1)
		buf_puts(b, ",");
	buf_add(b, brackets[v->type] + 1, 1);
	return true;
}

/* Stops, and raises, when there are more than most bytes. */
static bool add_repr(struct rule_run *run, struct buf *b, const struct rule_value *v, size_t most)
{
	char text[RULE_FLOAT_TEXT];

	if (!rule_charge(run, 1))
		return false;
	switch (v->type) {
	case RULE_NONE:
		buf_puts(b, "None");
		break;
	case RULE_BOOL:
		buf_puts(b, v->integer ? "True" : "False");
		break;
	case RULE_INT:
		buf_printf(b, "%" PRId64, v->integer);
		break;
	case RULE_FLOAT:
		rule_float_text(v->real, text);
		buf_puts(b, text);
		break;
	case RULE_STR:
		add_quoted(b, v->str, most);
		break;
	case RULE_PATTERN:
		add_quoted(b, rule_pattern_text(v->pattern), most);
		break;
	default:
		if (!add_items(run, b, v, most))
			return false;
	}
	if (b->length > most || b->failed)
		return rule_raise(run, "MemoryError: str() of a value that is too large");
	return true;
}

bool rule_to_str(struct rule_run *run, const struct rule_value *v, struct rule_value *out)
{
	*out = *v;
	return v->type == RULE_STR || rule_to_repr(run, v, out);
}

bool rule_to_repr(struct rule_run *run, const struct rule_value *v, struct rule_value *out)
{
	struct buf b = { 0 };
	char *copy = NULL;

	if (add_repr(run, &b, v, RULE_RUN_BYTES))
		copy = rule_alloc(run, b.length + 1);
	if (copy) {
		memcpy(copy, b.data, b.length);
		*out = rule_str(copy, b.length);
	}
	buf_free(&b);
	return copy != NULL;
}

char *rule_repr_cut(const struct rule_value *v, size_t most, bool *cut)
{
	struct rule_run run = { .steps = RULE_RUN_STEPS }; /* its reason goes nowhere */
	struct buf b = { 0 };

	*cut = !add_repr(&run, &b, v, most);
	if (!b.failed)
		return b.data;
	buf_free(&b);
	return NULL;
}
