/*
 * sequence: what strings, lists and tuples have in common: index, slice, +, *.
 */
#include "rule/value.h"

#include <string.h>

#include "rule/call.h"
#include "rule/run.h"
#include "rule/text.h"

static int64_t sequence_length(const struct rule_value *v)
{
	return (int64_t)(v->type == RULE_STR ? rule_utf8_count(v->str) : v->items.count);
}

static bool is_sequence(const struct rule_value *v)
{
	return v->type == RULE_STR || rule_is_items(v);
}

/* count elements of v from start in stride; all of them exist. */
static bool pick(struct rule_run *run, const struct rule_value *v, int64_t start, int64_t stride,
	size_t count, struct rule_value *out)
{
	struct rule_value *item;

	if (v->type == RULE_STR)
		return rule_text_pick(run, v->str, start, stride, count, out);
	item = rule_alloc(run, count * sizeof(*item));
	if (!item)
		return false;
	for (size_t i = 0; i < count; i++)
		item[i] = v->items.item[start + (int64_t)i * stride];
	*out = (struct rule_value){ .type = v->type, .items = { item, count } };
	return true;
}

static bool raise_index_type(
	struct rule_run *run, const struct rule_value *v, const struct rule_value *index)
{
	if (v->type == RULE_STR)
		return rule_raise(run, "TypeError: string indices must be integers, not '%s'",
			rule_type_name(index));
	return rule_raise(run, "TypeError: %s indices must be integers or slices, not %s",
		rule_type_name(v), rule_type_name(index));
}

bool rule_index(struct rule_run *run, const struct rule_value *v, const struct rule_value *index,
	struct rule_value *out)
{
	int64_t length, at;

	if (v->type == RULE_DICT)
		return rule_dict_index(run, v, index, out);
	if (!is_sequence(v))
		return rule_raise(
			run, "TypeError: '%s' object is not subscriptable", rule_type_name(v));
	if (!rule_is_integer(index))
		return raise_index_type(run, v, index);
	length = sequence_length(v);
	at = index->integer < 0 ? index->integer + length : index->integer;
	if (at < 0 || at >= length)
		return rule_raise(run, "IndexError: %s index out of range",
			v->type == RULE_STR ? "string" : rule_type_name(v));
	if (v->type == RULE_STR)
		return pick(run, v, at, 1, 1, out);
	*out = v->items.item[at];
	return true;
}

bool rule_to_items(struct rule_run *run, const struct rule_value *v, struct rule_items *out)
{
	struct rule_value *item;
	struct rule_str s = v->str;
	size_t n = 0, bytes;

	if (!(RULE_TYPES_ITERABLE & 1U << v->type))
		return rule_raise(run, "TypeError: '%s' object is not iterable", rule_type_name(v));
	*out = v->items;
	if (v->type == RULE_DICT) {
		struct rule_value keys;

		if (!rule_method_keys(run, v, 1, &keys))
			return false;
		*out = keys.items;
		return true;
	}
	if (v->type != RULE_STR)
		return true;
	item = rule_alloc(run, rule_utf8_count(s) * sizeof(*item));
	if (!item)
		return false;
	for (size_t at = 0; at < s.length; at += bytes) {
		(void)rule_utf8_decode(s.data + at, s.length - at, &bytes);
		item[n++] = rule_str(s.data + at, bytes);
	}
	*out = (struct rule_items){ item, n };
	return true;
}

/* One end of a slice, as CPython's PySlice_AdjustIndices() has it. */
static int64_t slice_end(const struct rule_value *v, int64_t absent, int64_t length, int64_t step)
{
	int64_t at = v->integer;

	if (v->type == RULE_NONE)
		return absent;
	if (at < 0)
		at += length;
	if (at < 0)
		return step < 0 ? -1 : 0;
	if (at >= length)
		return step < 0 ? length - 1 : length;
	return at;
}

static bool need_slice_end(struct rule_run *run, const struct rule_value *v)
{
	return v->type == RULE_NONE || rule_is_integer(v) ||
	       rule_raise(run, "TypeError: slice indices must be integers or None or have an "
			       "__index__ method");
}

bool rule_range(struct rule_run *run, const struct rule_value *argument, size_t count, size_t first,
	int64_t length, int64_t *start, int64_t *stop)
{
	*start = 0;
	*stop = length;
	for (size_t i = first; i < count && i < first + 2; i++)
		if (!need_slice_end(run, &argument[i]))
			return false;
	/* A start behind the end stays there: nothing is found, not even what is empty. */
	if (count > first && argument[first].type != RULE_NONE)
		*start = argument[first].integer > length
				 ? length + 1
				 : slice_end(&argument[first], 0, length, 1);
	if (count > first + 1)
		*stop = slice_end(&argument[first + 1], length, length, 1);
	return true;
}

bool rule_slice(struct rule_run *run, const struct rule_value *v, const struct rule_value bound[3],
	struct rule_value *out)
{
	int64_t length, start, stop, step = 1, count = 0;

	if (!is_sequence(v))
		return rule_raise(
			run, "TypeError: '%s' object is not subscriptable", rule_type_name(v));
	for (int i = 0; i < 3; i++)
		if (!need_slice_end(run, &bound[i]))
			return false;
	if (bound[2].type != RULE_NONE)
		step = bound[2].integer < -INT64_MAX ? -INT64_MAX : bound[2].integer;
	if (step == 0)
		return rule_raise(run, "ValueError: slice step cannot be zero");
	length = sequence_length(v);
	start = slice_end(&bound[0], step < 0 ? length - 1 : 0, length, step);
	stop = slice_end(&bound[1], step < 0 ? -1 : length, length, step);
	if (step < 0 && stop < start)
		count = (start - stop - 1) / -step + 1;
	else if (step > 0 && start < stop)
		count = (stop - start - 1) / step + 1;
	return pick(run, v, count ? start : 0, step, (size_t)count, out);
}

/* n times the size bytes at data. */
static bool repeat(
	struct rule_run *run, const void *data, size_t size, size_t n, void **out, size_t *total)
{
	char *copy;

	if (__builtin_mul_overflow(size, n, total))
		*total = SIZE_MAX;
	copy = *out = rule_alloc(run, *total);
	if (!copy)
		return false;
	for (size_t at = 0; at < *total; at += size)
		memcpy(copy + at, data, size);
	return true;
}

static bool multiply(
	struct rule_run *run, const struct rule_value *v, int64_t n, struct rule_value *out)
{
	size_t total;
	void *data;
	bool done;

	if (n < 0)
		n = 0;
	if (v->type == RULE_STR) {
		done = repeat(run, v->str.data, v->str.length, (size_t)n, &data, &total);
		*out = rule_str(data, total);
		return done;
	}
	done = repeat(run, v->items.item, v->items.count * sizeof(*v->items.item), (size_t)n, &data,
		&total);
	*out = (struct rule_value){ .type = v->type,
		.items = { data, total / sizeof(*v->items.item) } };
	return done;
}

static bool concatenate(struct rule_run *run, const struct rule_value *a,
	const struct rule_value *b, struct rule_value *out)
{
	const size_t unit = a->type == RULE_STR ? 1 : sizeof(*a->items.item);
	const size_t a_size = unit * (a->type == RULE_STR ? a->str.length : a->items.count);
	const size_t b_size = unit * (a->type == RULE_STR ? b->str.length : b->items.count);
	char *data = rule_alloc(run, a_size + b_size);

	if (!data)
		return false;
	if (a->type == RULE_STR) {
		memcpy(data, a->str.data, a_size);
		memcpy(data + a_size, b->str.data, b_size);
		*out = rule_str(data, a_size + b_size);
		return true;
	}
	memcpy(data, a->items.item, a_size);
	memcpy(data + a_size, b->items.item, b_size);
	*out = (struct rule_value){ .type = a->type,
		.items = { (const struct rule_value *)(void *)data, (a_size + b_size) / unit } };
	return true;
}

static bool raise_operands(struct rule_run *run, enum rule_arithmetic op,
	const struct rule_value *a, const struct rule_value *b)
{
	static const char *const signs[] = {
		[RULE_ADD] = "+",
		[RULE_SUBTRACT] = "-",
		[RULE_MULTIPLY] = "*",
		[RULE_DIVIDE] = "/",
		[RULE_FLOOR_DIVIDE] = "//",
		[RULE_MODULO] = "%",
		[RULE_POWER] = "** or pow()",
		[RULE_BIT_OR] = "|",
		[RULE_BIT_XOR] = "^",
		[RULE_BIT_AND] = "&",
	};

	if (op == RULE_ADD && is_sequence(a))
		return rule_raise(run, "TypeError: can only concatenate %s (not \"%s\") to %s",
			rule_type_name(a), rule_type_name(b), rule_type_name(a));
	if (op == RULE_MULTIPLY && (is_sequence(a) || is_sequence(b)))
		return rule_raise(run, "TypeError: can't multiply sequence by non-int of type '%s'",
			rule_type_name(is_sequence(a) ? b : a));
	return rule_raise(run, "TypeError: unsupported operand type(s) for %s: '%s' and '%s'",
		signs[op], rule_type_name(a), rule_type_name(b));
}

bool rule_binary(struct rule_run *run, enum rule_arithmetic op, const struct rule_value *a,
	const struct rule_value *b, struct rule_value *out)
{
	if (rule_is_number(a) && rule_is_number(b))
		return rule_number_binary(run, op, a, b, out);
	if (op == RULE_ADD && is_sequence(a) && a->type == b->type)
		return concatenate(run, a, b, out);
	if (op == RULE_MULTIPLY && is_sequence(a) && rule_is_integer(b))
		return multiply(run, a, b->integer, out);
	if (op == RULE_MULTIPLY && is_sequence(b) && rule_is_integer(a))
		return multiply(run, b, a->integer, out);
	if (op == RULE_MODULO && a->type == RULE_STR)
		return rule_percent(run, a->str, b, out);
	if (a->type == RULE_SET && b->type == RULE_SET &&
		(op == RULE_SUBTRACT || op == RULE_BIT_OR || op == RULE_BIT_XOR ||
			op == RULE_BIT_AND))
		return rule_set_binary(run, op, a, b, out);
	if (op == RULE_BIT_OR && a->type == RULE_DICT && b->type == RULE_DICT)
		return rule_dict_merge(run, a, b, out);
	return raise_operands(run, op, a, b);
}
