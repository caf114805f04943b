/*
 * method: the table of the methods of str, strip() and zfill(). argument[0] is always the str
 * itself.
 */
#include "rule/internal.h"

#include <string.h>

/* True when argument i is there, and is not None. */
static bool given(const struct rule_value *argument, size_t count, size_t i)
{
	return i < count && argument[i].type != RULE_NONE;
}

/* Where the character before at begins. */
static size_t previous(struct rule_str s, size_t at)
{
	do
		at--;
	while (at > 0 && ((unsigned char)s.data[at] & 0xc0) == 0x80);
	return at;
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

/* ---- zfill ---- */

static bool method_zfill(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_str s = argument->str;
	const size_t length = rule_utf8_count(s);
	size_t zeros, sign;
	char *data;

	(void)count; /* always 2 */
	*out = *argument;
	if (!rule_need_int(run, &argument[1]))
		return false;
	if (argument[1].integer <= (int64_t)length)
		return true;
	zeros = (size_t)argument[1].integer - length;
	if (__builtin_add_overflow(zeros, s.length, &sign))
		sign = SIZE_MAX;
	data = rule_alloc(run, sign);
	if (!data)
		return false;
	sign = s.length > 0 && strchr("+-", *s.data) && *s.data;
	memcpy(data, s.data, sign);
	memset(data + sign, '0', zeros);
	memcpy(data + sign + zeros, s.data + sign, s.length - sign);
	*out = rule_str(data, zeros + s.length);
	return true;
}

const struct rule_function rule_text_methods[] = {
	{ "lower", 0, 0, rule_method_lower, false },
	{ "upper", 0, 0, rule_method_upper, false },
	{ "casefold", 0, 0, rule_method_casefold, false },
	{ "title", 0, 0, rule_method_title, false },
	{ "capitalize", 0, 0, rule_method_capitalize, false },
	{ "isalpha", 0, 0, rule_method_isalpha, false },
	{ "isalnum", 0, 0, rule_method_isalnum, false },
	{ "isdigit", 0, 0, rule_method_isdigit, false },
	{ "isspace", 0, 0, rule_method_isspace, false },
	{ "isupper", 0, 0, rule_method_isupper, false },
	{ "islower", 0, 0, rule_method_islower, false },
	{ "strip", 0, 1, method_strip, false },
	{ "lstrip", 0, 1, method_lstrip, false },
	{ "rstrip", 0, 1, method_rstrip, false },
	{ "zfill", 1, 1, method_zfill, false },
	{ "startswith", 1, 3, rule_method_startswith, false },
	{ "endswith", 1, 3, rule_method_endswith, false },
	{ "find", 1, 3, rule_method_find_text, false },
	{ "index", 1, 3, rule_method_index, false },
	{ "count", 1, 3, rule_method_count, false },
	{ "replace", 2, 3, rule_method_replace, false },
	{ "split", 0, 2, rule_method_split, false },
	{ 0 },
};
