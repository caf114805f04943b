/*
 * aggregate: the functions over the elements of a string, list or tuple: min() max() any() all()
 * sum() sorted().
 */
#include "rule/call.h"

#include <string.h>

#include "rule/run.h"

static bool less(
	struct rule_run *run, const struct rule_value *a, const struct rule_value *b, bool *holds)
{
	return rule_charge(run, 1) && rule_compare(run, RULE_LT, a, b, holds);
}

/* Of several arguments, or of the elements of one, the first that no other one beats. */
static bool extreme(struct rule_run *run, const struct rule_value *argument, size_t count,
	enum rule_compare op, const char *name, struct rule_value *out)
{
	struct rule_items all = { argument, count };
	bool beats;

	if (count == 1 && !rule_to_items(run, argument, &all))
		return false;
	if (all.count == 0)
		return rule_raise(run, "ValueError: %s() arg is an empty sequence", name);
	*out = all.item[0];
	for (size_t i = 1; i < all.count; i++) {
		if (!rule_charge(run, 1) || !rule_compare(run, op, &all.item[i], out, &beats))
			return false;
		if (beats)
			*out = all.item[i];
	}
	return true;
}

bool rule_function_min(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return extreme(run, argument, count, RULE_LT, "min", out);
}

bool rule_function_max(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return extreme(run, argument, count, RULE_GT, "max", out);
}

/* Whether the truth of one element is decisive. */
static bool holds_one(struct rule_run *run, const struct rule_value *argument, bool decisive,
	struct rule_value *out)
{
	struct rule_items all;

	if (!rule_to_items(run, argument, &all))
		return false;
	*out = rule_bool(!decisive);
	for (size_t i = 0; i < all.count; i++)
		if (rule_truth(&all.item[i]) == decisive)
			*out = rule_bool(decisive);
	return true;
}

bool rule_function_any(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 1 */
	return holds_one(run, argument, true, out);
}

bool rule_function_all(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 1 */
	return holds_one(run, argument, false, out);
}

bool rule_function_sum(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_items all;
	struct rule_value total = count > 1 ? argument[1] : rule_int(0);

	if (!rule_to_items(run, argument, &all))
		return false;
	if (total.type == RULE_STR)
		return rule_raise(run, "TypeError: sum() can't sum strings; join them with +");
	for (size_t i = 0; i < all.count; i++) {
		if (!rule_charge(run, 1 + (rule_is_items(&total) ? total.items.count : 0)) ||
			!rule_binary(run, RULE_ADD, &total, &all.item[i], out))
			return false;
		total = *out;
	}
	*out = total;
	return true;
}

/* Two sorted neighbours, a of a_count items and the b_count behind it, become one at to. Of equal
 * ones the first stays the first. */
static bool merge(struct rule_run *run, const struct rule_value *a, size_t a_count, size_t b_count,
	struct rule_value *to)
{
	const struct rule_value *b = a + a_count, *a_end = b, *b_end = b + b_count;
	bool second;

	while (a < a_end && b < b_end) {
		if (!less(run, b, a, &second))
			return false;
		*to++ = second ? *b++ : *a++;
	}
	while (a < a_end)
		*to++ = *a++;
	while (b < b_end)
		*to++ = *b++;
	return true;
}

/* Where a NaN makes the order depend on the algorithm, it is not CPython's. */
bool rule_function_sorted(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_items all;
	struct rule_value *from, *to, *other;
	size_t n, left;

	(void)count; /* always 1 */
	if (!rule_to_items(run, argument, &all))
		return false;
	n = all.count;
	from = rule_alloc(run, n * sizeof(*from));
	to = rule_alloc(run, n * sizeof(*to));
	if (!from || !to)
		return false;
	if (n)
		memcpy(from, all.item, n * sizeof(*from));
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t at = 0; at < n; at += 2 * width) {
			left = n - at;
			if (!merge(run, from + at, left < width ? left : width,
				    left < width           ? 0
				    : left - width < width ? left - width
							   : width,
				    to + at))
				return false;
		}
		other = from;
		from = to;
		to = other;
	}
	*out = (struct rule_value){ .type = RULE_LIST, .items = { from, n } };
	return true;
}
