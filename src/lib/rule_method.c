/*
 * rule_method: the methods of str. argument[0] is always the str itself.
 */
#include "rule_internal.h"

#include <string.h>

/* True when argument i is there, and is not None. */
static bool given(const struct rule_value *argument, size_t count, size_t i)
{
	return i < count && argument[i].type != RULE_NONE;
}

static bool need_str(struct rule_run *run, const struct rule_value *v)
{
	return v->type == RULE_STR ||
	       rule_raise(run, "TypeError: must be str, not %s", rule_type_name(v));
}

/* Where the character before at begins. */
static size_t previous(struct rule_str s, size_t at)
{
	do
		at--;
	while (at > 0 && ((unsigned char)s.data[at] & 0xc0) == 0x80);
	return at;
}

/* ---- case ---- */

enum { SIGMA = 0x3a3, FINAL_SIGMA = 0x3c2 };

/* A Greek sigma at the end of a word has its own small letter: one behind a cased letter and not
 * before one, looking through the ignorable characters (Unicode 3.13, Final_Sigma). */
static bool sigma_is_final(struct rule_str s, size_t before, size_t after)
{
	uint32_t code = 0;
	size_t bytes, end;

	do {
		end = before;
		if (end == 0)
			return false;
		before = previous(s, end);
		code = rule_utf8_decode(s.data + before, end - before, &bytes);
	} while (rule_case_is_ignorable(code));
	if (!rule_case_is_cased(code))
		return false;
	for (; after < s.length; after += bytes) {
		code = rule_utf8_decode(s.data + after, s.length - after, &bytes);
		if (!rule_case_is_ignorable(code))
			return !rule_case_is_cased(code);
	}
	return true;
}

static bool change_case(struct rule_run *run, struct rule_str s, bool lower, struct rule_value *out)
{
	/* The most that a character can grow: U+0390 to three characters of two bytes. */
	char *data = rule_alloc(run, 3 * s.length + 1);
	size_t length = 0, bytes, codes;
	uint32_t code, changed[3];

	if (!data)
		return false;
	for (size_t at = 0; at < s.length; at += bytes) {
		code = rule_utf8_decode(s.data + at, s.length - at, &bytes);
		codes = lower ? rule_case_lower(code, changed) : rule_case_upper(code, changed);
		if (lower && code == SIGMA && sigma_is_final(s, at, at + bytes))
			*changed = FINAL_SIGMA;
		for (size_t i = 0; i < codes; i++)
			length += rule_utf8_encode(changed[i], data + length);
	}
	*out = rule_str(data, length);
	return true;
}

static bool method_lower(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count;
	return change_case(run, argument->str, true, out);
}

static bool method_upper(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count;
	return change_case(run, argument->str, false, out);
}

/* ---- strip ---- */

static bool stripped(struct rule_str s, size_t at, size_t end, const struct rule_str *set)
{
	size_t bytes;
	uint32_t code = rule_utf8_decode(s.data + at, end - at, &bytes);

	if (!set)
		return rule_is_space(code);
	return rule_text_find(*set, (struct rule_str){ s.data + at, bytes }, 0) != SIZE_MAX;
}

static bool strip(struct rule_run *run, const struct rule_value *argument, size_t count,
	const char *name, bool left, bool right, struct rule_value *out)
{
	const struct rule_str s = argument->str, *set = NULL;
	size_t from = 0, to = s.length, bytes;

	if (given(argument, count, 1)) {
		if (argument[1].type != RULE_STR)
			return rule_raise(run, "TypeError: %s arg must be None or str", name);
		set = &argument[1].str;
		if (!rule_charge(run, (s.length + 1) * (set->length + 1) / RULE_STEP_BYTES))
			return false;
	}
	for (; left && from < to && stripped(s, from, to, set); from += bytes)
		(void)rule_utf8_decode(s.data + from, to - from, &bytes);
	while (right && to > from && stripped(s, previous(s, to), to, set))
		to = previous(s, to);
	*out = rule_str(s.data + from, to - from);
	return true;
}

static bool method_strip(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return strip(run, argument, count, "strip", true, true, out);
}

static bool method_lstrip(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return strip(run, argument, count, "lstrip", true, false, out);
}

static bool method_rstrip(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return strip(run, argument, count, "rstrip", false, true, out);
}

/* ---- search ---- */

static bool begins(struct rule_str s, struct rule_str part)
{
	return part.length <= s.length && memcmp(s.data, part.data, part.length) == 0;
}

static bool ends(struct rule_str s, struct rule_str part)
{
	return part.length <= s.length &&
	       memcmp(s.data + s.length - part.length, part.data, part.length) == 0;
}

static bool affix(struct rule_run *run, const struct rule_value *argument, const char *name,
	bool (*matches)(struct rule_str, struct rule_str), struct rule_value *out)
{
	const struct rule_value *part = argument + 1;
	const struct rule_items one = { part, 1 };
	const struct rule_items *all = part->type == RULE_TUPLE ? &part->items : &one;
	bool found = false;

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
		found = matches(argument->str, all->item[i].str);
	}
	*out = rule_bool(found);
	return true;
}

static bool method_startswith(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count;
	return affix(run, argument, "startswith", begins, out);
}

static bool method_endswith(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count;
	return affix(run, argument, "endswith", ends, out);
}

static bool method_find(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	size_t at;

	(void)count;
	if (!need_str(run, argument + 1))
		return false;
	at = rule_text_find(argument->str, argument[1].str, 0);
	*out = rule_int(at == SIZE_MAX ? -1 : (int64_t)rule_utf8_index(argument->str, at));
	return true;
}

static bool method_count(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	size_t after = 0;
	int64_t n = 0;

	(void)count;
	if (!need_str(run, argument + 1))
		return false;
	while (rule_text_next(argument->str, argument[1].str, after, &after) != SIZE_MAX)
		n++;
	*out = rule_int(n);
	return true;
}

const struct rule_function rule_text_methods[] = {
	{ "lower", 0, 0, method_lower },
	{ "upper", 0, 0, method_upper },
	{ "strip", 0, 1, method_strip },
	{ "lstrip", 0, 1, method_lstrip },
	{ "rstrip", 0, 1, method_rstrip },
	{ "startswith", 1, 1, method_startswith },
	{ "endswith", 1, 1, method_endswith },
	{ "find", 1, 1, method_find },
	{ "count", 1, 1, method_count },
	{ "replace", 2, 3, rule_method_replace },
	{ "split", 0, 2, rule_method_split },
	{ 0 },
};
