/*
 * case: letters of all scripts, and decimal digits: lower() upper() title() capitalize() casefold()
 * isalpha() and its like.
 *
 * The tables are Unicode 14's, as in Python 3.11, made by `tests/lib/rule_tables.py case` and
 * `tests/lib/rule_tables.py class`.
 */
#include "rule/text.h"

#include <string.h>

#include "rule/call.h"
#include "rule/run.h"

/* Every step-th character from first to last changes by delta. */
struct range {
	uint32_t first, last, step;
	int32_t delta;
};

struct span {
	uint32_t first, last;
};

/* Every step-th character from first to last. */
struct run {
	uint32_t first, last, step;
};

/* One character becomes several. */
struct special {
	uint32_t code, to[3];
};

#include "rule/case_tables.h"
#include "rule/class_tables.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The last entry of a table sorted by its first member that does not lie behind code, or NULL. */
static const void *find(const void *table, size_t count, size_t size, uint32_t code)
{
	size_t low = 0, high = count, middle;
	uint32_t first;

	while (low < high) {
		middle = (low + high) / 2;
		memcpy(&first, (const char *)table + middle * size, sizeof(first));
		if (first <= code)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? (const char *)table + (low - 1) * size : NULL;
}

static uint32_t shift(const struct range *range, uint32_t code)
{
	if (!range || code > range->last || (code - range->first) % range->step != 0)
		return code;
	return (uint32_t)((int32_t)code + range->delta);
}

static size_t expand(const struct special *special, uint32_t out[3])
{
	size_t count = 0;

	while (count < 3 && special->to[count]) {
		out[count] = special->to[count];
		count++;
	}
	return count;
}

size_t rule_case_lower(uint32_t code, uint32_t out[3])
{
	static const struct special dotted_i = { 0x130, { 'i', 0x307, 0 } };

	if (code == dotted_i.code)
		return expand(&dotted_i, out);
	*out = shift(find(to_lower, COUNT(to_lower), sizeof(*to_lower), code), code);
	return 1;
}

/* Expands code when it is in a table of specials; 0 when it is not. */
static size_t expand_special(
	const struct special *table, size_t count, uint32_t code, uint32_t out[3])
{
	const struct special *special = find(table, count, sizeof(*table), code);

	return special && special->code == code ? expand(special, out) : 0;
}

size_t rule_case_upper(uint32_t code, uint32_t out[3])
{
	size_t count = expand_special(to_upper_special, COUNT(to_upper_special), code, out);

	if (count)
		return count;
	*out = shift(find(to_upper, COUNT(to_upper), sizeof(*to_upper), code), code);
	return 1;
}

/* Where it is not that of rule_case_upper(). */
size_t rule_case_title(uint32_t code, uint32_t out[3])
{
	size_t count = expand_special(to_title_special, COUNT(to_title_special), code, out);

	return count ? count : rule_case_upper(code, out);
}

/* Where it is not that of rule_case_lower(). */
size_t rule_case_fold(uint32_t code, uint32_t out[3])
{
	const struct range *range = find(to_folded, COUNT(to_folded), sizeof(*to_folded), code);
	size_t count = expand_special(to_folded_special, COUNT(to_folded_special), code, out);

	if (count || !range || code > range->last || (code - range->first) % range->step != 0)
		return count ? count : rule_case_lower(code, out);
	*out = shift(range, code);
	return 1;
}

static bool within(const struct span *span, uint32_t code)
{
	return span && code <= span->last;
}

bool rule_case_is_cased(uint32_t code)
{
	return within(find(cased, COUNT(cased), sizeof(*cased), code), code);
}

bool rule_case_is_ignorable(uint32_t code)
{
	return within(find(ignorable, COUNT(ignorable), sizeof(*ignorable), code), code);
}

int rule_case_digit(uint32_t code)
{
	const uint32_t *zero = find(zeros, COUNT(zeros), sizeof(*zeros), code);

	return zero && code - *zero < 10 ? (int)(code - *zero) : -1;
}

static bool stands_in(const struct run *table, size_t count, uint32_t code)
{
	const struct run *run = find(table, count, sizeof(*table), code);

	return run && code <= run->last && (code - run->first) % run->step == 0;
}

bool rule_case_is_alpha(uint32_t code)
{
	return within(find(alpha, COUNT(alpha), sizeof(*alpha), code), code);
}

bool rule_case_is_alnum(uint32_t code)
{
	return rule_case_is_alpha(code) ||
	       within(find(numeric, COUNT(numeric), sizeof(*numeric), code), code);
}

bool rule_case_is_digit(uint32_t code)
{
	return rule_case_digit(code) >= 0 ||
	       within(find(digit, COUNT(digit), sizeof(*digit), code), code);
}

bool rule_case_is_upper(uint32_t code)
{
	return stands_in(upper, COUNT(upper), code);
}

bool rule_case_is_lower(uint32_t code)
{
	return stands_in(lower, COUNT(lower), code);
}

bool rule_case_is_hidden(uint32_t code)
{
	return within(find(hidden, COUNT(hidden), sizeof(*hidden), code), code);
}

bool rule_case_is_title(uint32_t code)
{
	return within(find(title, COUNT(title), sizeof(*title), code), code);
}

/* ---- methods ---- */

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
		before = rule_utf8_before(s, end);
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

static size_t lower_at(struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	if (code != SIGMA || !sigma_is_final(s, at, at + bytes))
		return rule_case_lower(code, out);
	*out = FINAL_SIGMA;
	return 1;
}

static size_t upper_at(struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	(void)s;
	(void)at;
	(void)bytes;
	return rule_case_upper(code, out);
}

static size_t folded_at(struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	(void)s;
	(void)at;
	(void)bytes;
	return rule_case_fold(code, out);
}

static size_t capitalized_at(
	struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	return at == 0 ? rule_case_title(code, out) : lower_at(s, at, bytes, code, out);
}

static bool has_case(uint32_t code)
{
	return rule_case_is_lower(code) || rule_case_is_upper(code) || rule_case_is_title(code);
}

/* A letter behind another one is small. */
static size_t title_at(struct rule_str s, size_t at, size_t bytes, uint32_t code, uint32_t out[3])
{
	size_t before = at ? rule_utf8_before(s, at) : 0, unused;

	if (at && has_case(rule_utf8_decode(s.data + before, at - before, &unused)))
		return lower_at(s, at, bytes, code, out);
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

METHOD(lower, change_case(run, argument->str, lower_at, out))
METHOD(upper, change_case(run, argument->str, upper_at, out))
METHOD(casefold, change_case(run, argument->str, folded_at, out))
METHOD(title, change_case(run, argument->str, title_at, out))
METHOD(capitalize, change_case(run, argument->str, capitalized_at, out))

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
		if (has_case(code) && !is(code))
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
