/*
 * find: the methods that search: startswith() endswith() removeprefix() removesuffix() find()
 * rfind() index() count(). argument[0] is the
 * str, or for index() and count() also a list or tuple.
 */
#include "rule/call.h"

#include <string.h>

#include "rule/run.h"
#include "rule/text.h"

/* The part of argument[0] between the start and stop that may be given behind argument[1]; *before
 * counts the characters left of it. Returns false after an error; *lies tells whether there is such
 * a part, be it empty. */
static bool cut(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_str *part, int64_t *before, bool *lies)
{
	const struct rule_str s = argument->str;
	int64_t start, stop;
	size_t from;

	*part = s;
	*before = 0;
	*lies = true;
	if (count < 3)
		return true;
	if (!rule_range(run, argument, count, 2, (int64_t)rule_utf8_count(s), &start, &stop))
		return false;
	*lies = start <= stop;
	if (!*lies)
		return true;
	*before = start;
	from = rule_utf8_offset(s, (size_t)start);
	*part = (struct rule_str){ s.data + from, s.length - from };
	part->length = rule_utf8_offset(*part, (size_t)(stop - start));
	return true;
}

/* ---- startswith, endswith ---- */

static bool begins(struct rule_str s, struct rule_str part)
{
	return part.length <= s.length && memcmp(s.data, part.data, part.length) == 0;
}

static bool ends(struct rule_str s, struct rule_str part)
{
	return part.length <= s.length &&
	       memcmp(s.data + s.length - part.length, part.data, part.length) == 0;
}

static bool affix(struct rule_run *run, const struct rule_value *argument, size_t count,
	const char *name, bool (*matches)(struct rule_str, struct rule_str), struct rule_value *out)
{
	const struct rule_value *part = argument + 1;
	const struct rule_items one = { part, 1 };
	const struct rule_items *all = part->type == RULE_TUPLE ? &part->items : &one;
	bool found = false, lies;
	struct rule_str s;
	int64_t before;

	if (!cut(run, argument, count, &s, &before, &lies))
		return false;
	if (part->type != RULE_STR && part->type != RULE_TUPLE)
		return rule_raise(run,
			"TypeError: %s first arg must be str or a tuple of str, not %s", name,
			rule_type_name(part));
	for (size_t i = 0; i < all->count && !found; i++) {
		if (all->item[i].type != RULE_STR)
			return rule_raise(run,
				"TypeError: tuple for %s must only contain str, not %s", name,
				rule_type_name(&all->item[i]));
		if (!rule_charge(run, 1 + all->item[i].str.length / RULE_STEP_BYTES))
			return false;
		found = lies && matches(s, all->item[i].str);
	}
	*out = rule_bool(found);
	return true;
}

bool rule_method_startswith(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return affix(run, argument, count, "startswith", begins, out);
}

bool rule_method_endswith(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return affix(run, argument, count, "endswith", ends, out);
}

/* ---- removeprefix, removesuffix ---- */

static bool need_affix(struct rule_run *run, const struct rule_value *v, const char *name)
{
	return v->type == RULE_STR ||
	       rule_raise(run, "TypeError: %s() argument must be str, not %s", name,
		       rule_type_name(v));
}

bool rule_method_removeprefix(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_str s = argument->str, part = argument[1].str;

	(void)count; /* always 2 */
	*out = *argument;
	if (!need_affix(run, argument + 1, "removeprefix"))
		return false;
	if (begins(s, part))
		*out = rule_str(s.data + part.length, s.length - part.length);
	return true;
}

bool rule_method_removesuffix(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_str s = argument->str, part = argument[1].str;

	(void)count; /* always 2 */
	*out = *argument;
	if (!need_affix(run, argument + 1, "removesuffix"))
		return false;
	if (ends(s, part))
		*out = rule_str(s.data, s.length - part.length);
	return true;
}

/* ---- find, rfind, index ---- */

static bool need_str(struct rule_run *run, const struct rule_value *v)
{
	return v->type == RULE_STR ||
	       rule_raise(run, "TypeError: must be str, not %s", rule_type_name(v));
}

/* Counted in characters; -1 when nowhere. */
bool rule_method_find_text(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_str s;
	int64_t before;
	size_t at;
	bool lies;

	if (!need_str(run, argument + 1) || !cut(run, argument, count, &s, &before, &lies))
		return false;
	at = lies ? rule_text_find(s, argument[1].str, 0) : SIZE_MAX;
	*out = rule_int(at == SIZE_MAX ? -1 : before + (int64_t)rule_utf8_index(s, at));
	return true;
}

/* The last one. */
bool rule_method_rfind(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_str s;
	int64_t before;
	size_t at = SIZE_MAX;
	bool lies;

	if (!need_str(run, argument + 1) || !cut(run, argument, count, &s, &before, &lies) ||
		!rule_charge_product(run, s.length, argument[1].str.length))
		return false;
	if (lies)
		at = rule_text_find_last(s, argument[1].str);
	*out = rule_int(at == SIZE_MAX ? -1 : before + (int64_t)rule_utf8_index(s, at));
	return true;
}

static bool index_item(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_items *all = &argument->items;
	int64_t start, stop;
	bool equal = false;

	for (size_t i = 2; i < count; i++)
		if (argument[i].type == RULE_NONE)
			return rule_raise(run, "TypeError: slice indices must be integers "
					       "or have an __index__ method");
	if (!rule_range(run, argument, count, 2, (int64_t)all->count, &start, &stop))
		return false;
	for (; start < stop; start++) {
		if (!rule_equal(run, &all->item[start], &argument[1], &equal))
			return false;
		if (equal)
			break;
	}
	*out = rule_int(start);
	return equal || rule_raise(run, "ValueError: %s.index(x): x not in %s",
				rule_type_name(argument), rule_type_name(argument));
}

bool rule_method_index(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	if (rule_is_items(argument))
		return index_item(run, argument, count, out);
	if (!rule_method_find_text(run, argument, count, out))
		return false;
	return out->integer >= 0 || rule_raise(run, "ValueError: substring not found");
}

/* ---- count ---- */

static bool count_item(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	int64_t n = 0;
	bool equal;

	if (count > 2)
		return rule_raise(run,
			"TypeError: %s.count() takes exactly one argument (%zu given)",
			rule_type_name(argument), count - 1);
	for (size_t i = 0; i < argument->items.count; i++) {
		if (!rule_equal(run, &argument->items.item[i], &argument[1], &equal))
			return false;
		n += equal;
	}
	*out = rule_int(n);
	return true;
}

bool rule_method_count(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_str s;
	size_t after = 0;
	int64_t n = 0, before;
	bool lies;

	if (rule_is_items(argument))
		return count_item(run, argument, count, out);
	if (!need_str(run, argument + 1) || !cut(run, argument, count, &s, &before, &lies))
		return false;
	while (lies && rule_text_next(s, argument[1].str, after, &after) != SIZE_MAX)
		n++;
	*out = rule_int(n);
	return true;
}
