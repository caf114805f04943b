/*
 * letters: the methods of str that know letters: lower() upper() title() capitalize()
 * casefold() and isalpha() and its like.
 */
#include "rule/internal.h"

#include <string.h>

enum { SIGMA = 0x3a3, FINAL_SIGMA = 0x3c2 };

/* Where the character before at begins. */
static size_t previous(struct rule_str s, size_t at)
{
	do
		at--;
	while (at > 0 && ((unsigned char)s.data[at] & 0xc0) == 0x80);
	return at;
}

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

/* What becomes of a character: as many code points as are returned. */
typedef size_t change_fn(
	struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3]);

static size_t to_lower(struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	if (code != SIGMA || !sigma_is_final(s, at, at + bytes))
		return rule_case_lower(code, out);
	*out = FINAL_SIGMA;
	return 1;
}

static size_t to_upper(struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	(void)s;
	(void)at;
	(void)bytes;
	return rule_case_upper(code, out);
}

static size_t to_folded(struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	(void)s;
	(void)at;
	(void)bytes;
	return rule_case_fold(code, out);
}

static size_t to_capitalized(
	struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	return at == 0 ? rule_case_title(code, out) : to_lower(s, at, bytes, code, out);
}

static bool is_cased(uint32_t code)
{
	return rule_case_is_lower(code) || rule_case_is_upper(code) || rule_case_is_title(code);
}

/* A letter behind another one is small. */
static size_t to_title(struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	size_t before = at ? previous(s, at) : 0, unused;

	if (at && is_cased(rule_utf8_decode(s.data + before, at - before, &unused)))
		return to_lower(s, at, bytes, code, out);
	return rule_case_title(code, out);
}

static bool change_case(
	struct rule_run *run, struct rule_str s, change_fn *change, struct rule_value *out)
{
	/* The most that a character can grow: U+0390 to three characters of two bytes. */
	char *data = rule_alloc(run, 3 * s.length + 1);
	size_t length = 0, bytes, codes;
	uint32_t code, changed[3];

	if (!data)
		return false;
	for (size_t at = 0; at < s.length; at += bytes) {
		code = rule_utf8_decode(s.data + at, s.length - at, &bytes);
		codes = change(s, at, bytes, code, changed);
		for (size_t i = 0; i < codes; i++)
			length += rule_utf8_encode(changed[i], data + length);
	}
	*out = rule_str(data, length);
	return true;
}

#define METHOD(name, call)                                                                         \
	bool rule_method_##name(struct rule_run *run, const struct rule_value *argument,           \
		size_t count, struct rule_value *out)                                              \
	{                                                                                          \
		(void)count; /* always 1 */                                                        \
		return call;                                                                       \
	}

METHOD(lower, change_case(run, argument->str, to_lower, out))
METHOD(upper, change_case(run, argument->str, to_upper, out))
METHOD(casefold, change_case(run, argument->str, to_folded, out))
METHOD(title, change_case(run, argument->str, to_title, out))
METHOD(capitalize, change_case(run, argument->str, to_capitalized, out))

/* ---- isalpha() and its like: false for an empty string ---- */

static bool all_are(
	struct rule_run *run, struct rule_str s, bool (*is)(uint32_t code), struct rule_value *out)
{
	bool all = s.length > 0;
	size_t bytes;

	(void)run; /* nothing can fail */
	for (size_t at = 0; at < s.length && all; at += bytes)
		all = is(rule_utf8_decode(s.data + at, s.length - at, &bytes));
	*out = rule_bool(all);
	return true;
}

/* One letter at least, and none of the other case. */
static bool all_cased(
	struct rule_run *run, struct rule_str s, bool (*is)(uint32_t code), struct rule_value *out)
{
	bool found = false;
	size_t bytes;
	uint32_t code;

	(void)run; /* nothing can fail */
	*out = rule_bool(false);
	for (size_t at = 0; at < s.length; at += bytes) {
		code = rule_utf8_decode(s.data + at, s.length - at, &bytes);
		if (is_cased(code) && !is(code))
			return true;
		found |= is(code);
	}
	*out = rule_bool(found);
	return true;
}

METHOD(isalpha, all_are(run, argument->str, rule_case_is_alpha, out))
METHOD(isalnum, all_are(run, argument->str, rule_case_is_alnum, out))
METHOD(isdigit, all_are(run, argument->str, rule_case_is_digit, out))
METHOD(isspace, all_are(run, argument->str, rule_is_space, out))
METHOD(isupper, all_cased(run, argument->str, rule_case_is_upper, out))
METHOD(islower, all_cased(run, argument->str, rule_case_is_lower, out))
