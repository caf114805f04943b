/*
 * dict: sets and dicts: making them, looking into them, set operations; and list() tuple() set()
 * dict().
 *
 * Both keep the order in which things were put in, as Python's dicts do. They are searched from the
 * beginning, one step for each item: the bound of steps makes that enough, and there is no hash
 * whose worst case somebody could provoke.
 */
#include "rule/call.h"

#include <string.h>

#include "rule/run.h"

/* Of a dict keys and values take turns. */
static size_t stride(const struct rule_value *v)
{
	return v->type == RULE_DICT ? 2 : 1;
}

static bool need_hashable(struct rule_run *run, const struct rule_value *v)
{
	if (!rule_charge(run, 1))
		return false;
	if (v->type == RULE_LIST || v->type == RULE_SET || v->type == RULE_DICT)
		return rule_raise(run, "TypeError: unhashable type: '%s'", rule_type_name(v));
	for (size_t i = 0; v->type == RULE_TUPLE && i < v->items.count; i++)
		if (!need_hashable(run, &v->items.item[i]))
			return false;
	return true;
}

/* The place of key among the items, of which every step-th is a key, or count. */
static bool look(struct rule_run *run, const struct rule_items *items, size_t step,
	const struct rule_value *key, size_t *at)
{
	bool equal = false;

	for (*at = 0; *at < items->count; *at += step) {
		if (!rule_equal(run, key, &items->item[*at], &equal))
			return false;
		if (equal)
			break;
	}
	return true;
}

bool rule_holds_key(struct rule_run *run, const struct rule_value *whole,
	const struct rule_value *key, bool *found)
{
	size_t at;

	*found = false;
	/* Python looks for the frozenset that equals a set; rules have none. */
	if (whole->type == RULE_SET && key->type == RULE_SET)
		return true;
	if (!need_hashable(run, key) || !look(run, &whole->items, stride(whole), key, &at))
		return false;
	*found = at < whole->items.count;
	return true;
}

/* A set or dict for up to count items, to be filled. */
static struct rule_value *begin(struct rule_run *run, size_t count)
{
	return rule_alloc(run, count * sizeof(struct rule_value));
}

/* Adds key, and for a dict value, to items, which has room. The first of equal keys stays, with
 * the last value. */
static bool put(struct rule_run *run, struct rule_value *item, struct rule_items *items,
	const struct rule_value *key, const struct rule_value *value)
{
	const size_t step = value ? 2 : 1;
	size_t at;

	if (!need_hashable(run, key) || !look(run, items, step, key, &at))
		return false;
	if (at == items->count) {
		item[at] = *key;
		items->count += step;
	}
	if (value)
		item[at + 1] = *value;
	return true;
}

bool rule_set_make(
	struct rule_run *run, const struct rule_value *item, size_t count, struct rule_value *out)
{
	struct rule_value *made = begin(run, count);
	struct rule_items items = { made, 0 };

	if (!made)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!put(run, made, &items, &item[i], NULL))
			return false;
	*out = (struct rule_value){ .type = RULE_SET, .items = items };
	return true;
}

bool rule_dict_make(
	struct rule_run *run, const struct rule_value *item, size_t count, struct rule_value *out)
{
	struct rule_value *made = begin(run, count);
	struct rule_items items = { made, 0 };

	if (!made)
		return false;
	for (size_t i = 0; i < count; i += 2)
		if (!put(run, made, &items, &item[i], &item[i + 1]))
			return false;
	*out = (struct rule_value){ .type = RULE_DICT, .items = items };
	return true;
}

/* ---- comparing ---- */

bool rule_set_within(
	struct rule_run *run, const struct rule_value *a, const struct rule_value *b, bool *within)
{
	size_t at;

	*within = a->items.count <= b->items.count;
	for (size_t i = 0; i < a->items.count && *within; i++) {
		if (!look(run, &b->items, 1, &a->items.item[i], &at))
			return false;
		*within = at < b->items.count;
	}
	return true;
}

bool rule_dict_equal(
	struct rule_run *run, const struct rule_value *a, const struct rule_value *b, bool *equal)
{
	size_t at;

	*equal = a->items.count == b->items.count;
	for (size_t i = 0; i < a->items.count && *equal; i += 2) {
		if (!look(run, &b->items, 2, &a->items.item[i], &at))
			return false;
		*equal = at < b->items.count;
		if (*equal &&
			!rule_equal(run, &a->items.item[i + 1], &b->items.item[at + 1], equal))
			return false;
	}
	return true;
}

/* ---- operators ---- */

/* Adds the items of a that are in b, or are not, to made. */
static bool choose(struct rule_run *run, const struct rule_value *a, const struct rule_value *b,
	bool in, struct rule_value *made, size_t *count)
{
	size_t at;

	for (size_t i = 0; i < a->items.count; i++) {
		if (!look(run, &b->items, 1, &a->items.item[i], &at))
			return false;
		if ((at < b->items.count) == in)
			made[(*count)++] = a->items.item[i];
	}
	return true;
}

bool rule_set_binary(struct rule_run *run, enum rule_arithmetic op, const struct rule_value *a,
	const struct rule_value *b, struct rule_value *out)
{
	/* Of 1 and True CPython's & keeps that of the smaller set, of two alike the second's. */
	const struct rule_value *less = b->items.count > a->items.count ? a : b;
	struct rule_value *made = begin(run, a->items.count + b->items.count);
	size_t count = 0;
	bool done;

	if (!made)
		return false;
	if (op == RULE_BIT_AND)
		done = choose(run, less, less == a ? b : a, true, made, &count);
	else if (op == RULE_SUBTRACT)
		done = choose(run, a, b, false, made, &count);
	else if (op == RULE_BIT_XOR)
		done = choose(run, a, b, false, made, &count) &&
		       choose(run, b, a, false, made, &count);
	else {
		if (a->items.count)
			memcpy(made, a->items.item, a->items.count * sizeof(*made));
		count = a->items.count;
		done = choose(run, b, a, false, made, &count);
	}
	*out = (struct rule_value){ .type = RULE_SET, .items = { made, count } };
	return done;
}

/* b's values win. */
bool rule_dict_merge(struct rule_run *run, const struct rule_value *a, const struct rule_value *b,
	struct rule_value *out)
{
	struct rule_value *made = begin(run, a->items.count + b->items.count);
	struct rule_items items = { made, a->items.count };

	if (!made)
		return false;
	if (a->items.count)
		memcpy(made, a->items.item, a->items.count * sizeof(*made));
	for (size_t i = 0; i < b->items.count; i += 2)
		if (!put(run, made, &items, &b->items.item[i], &b->items.item[i + 1]))
			return false;
	*out = (struct rule_value){ .type = RULE_DICT, .items = items };
	return true;
}

/* ---- looking into a dict ---- */

/* *value is NULL when there is none. */
static bool find_value(struct rule_run *run, const struct rule_value *dict,
	const struct rule_value *key, const struct rule_value **value)
{
	size_t at;

	if (!need_hashable(run, key) || !look(run, &dict->items, 2, key, &at))
		return false;
	*value = at < dict->items.count ? &dict->items.item[at + 1] : NULL;
	return true;
}

bool rule_dict_index(struct rule_run *run, const struct rule_value *dict,
	const struct rule_value *key, struct rule_value *out)
{
	const struct rule_value *value;
	struct rule_value quoted;

	if (!find_value(run, dict, key, &value))
		return false;
	if (!value)
		return rule_to_repr(run, key, &quoted) &&
		       rule_raise(run, "KeyError: %.*s", (int)quoted.str.length, quoted.str.data);
	*out = *value;
	return true;
}

bool rule_method_get(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_value *value;

	if (!find_value(run, argument, argument + 1, &value))
		return false;
	*out = (struct rule_value){ .type = RULE_NONE };
	if (value)
		*out = *value;
	else if (count > 2)
		*out = argument[2];
	return true;
}

/* A list of the keys, or of the values. */
static bool half(
	struct rule_run *run, const struct rule_value *dict, size_t which, struct rule_value *out)
{
	const size_t count = dict->items.count / 2;
	struct rule_value *made = begin(run, count);

	if (!made)
		return false;
	for (size_t i = 0; i < count; i++)
		made[i] = dict->items.item[2 * i + which];
	*out = (struct rule_value){ .type = RULE_LIST, .items = { made, count } };
	return true;
}

bool rule_method_keys(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 1 */
	return half(run, argument, 0, out);
}

bool rule_method_values(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 1 */
	return half(run, argument, 1, out);
}

/* The pairs lie in the dict as they are in the tuples. */
bool rule_method_items(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const size_t pairs = argument->items.count / 2;
	struct rule_value *made = begin(run, pairs);

	(void)count; /* always 1 */
	if (!made)
		return false;
	for (size_t i = 0; i < pairs; i++)
		made[i] = (struct rule_value){ .type = RULE_TUPLE,
			.items = { argument->items.item + 2 * i, 2 } };
	*out = (struct rule_value){ .type = RULE_LIST, .items = { made, pairs } };
	return true;
}

/* ---- list, tuple, set, dict ---- */

static bool to_sequence(struct rule_run *run, const struct rule_value *argument, size_t count,
	enum rule_type type, struct rule_value *out)
{
	*out = (struct rule_value){ .type = type };
	return count == 0 || rule_to_items(run, argument, &out->items);
}

bool rule_function_list(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return to_sequence(run, argument, count, RULE_LIST, out);
}

bool rule_function_tuple(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return to_sequence(run, argument, count, RULE_TUPLE, out);
}

bool rule_function_set(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_items all = { NULL, 0 };

	return (count == 0 || rule_to_items(run, argument, &all)) &&
	       rule_set_make(run, all.item, all.count, out);
}

/* Of another dict, or of pairs. */
bool rule_function_dict(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_items all = { NULL, 0 }, pair;
	struct rule_value *flat;

	if (count && argument->type == RULE_DICT) {
		*out = *argument;
		return true;
	}
	if (count && !rule_to_items(run, argument, &all))
		return false;
	flat = begin(run, 2 * all.count);
	if (!flat)
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (!(RULE_TYPES_ITERABLE & 1U << all.item[i].type))
			return rule_raise(run,
				"TypeError: cannot convert dictionary update "
				"sequence element #%zu to a sequence",
				i);
		if (!rule_to_items(run, &all.item[i], &pair) || !rule_charge(run, 1))
			return false;
		if (pair.count != 2)
			return rule_raise(run,
				"ValueError: dictionary update sequence element #%zu "
				"has length %zu; 2 is required",
				i, pair.count);
		memcpy(flat + 2 * i, pair.item, 2 * sizeof(*flat));
	}
	return rule_dict_make(run, flat, 2 * all.count, out);
}
