/*
 * case: small and capital letters, and decimal digits, of all scripts.
 *
 * The tables are Unicode 14's, as in Python 3.11, made by `tests/rule_tables.py case` and
 * `tests/rule_tables.py class`.
 */
#include "rule/internal.h"

#include <string.h>

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
