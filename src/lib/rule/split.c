/*
 * split: the methods of str that cut it up, and put it together: replace() split() rsplit()
 * partition() splitlines() join().
 */
#include "rule/call.h"

#include <string.h>

#include "rule/run.h"
#include "rule/text.h"

/* An optional count: negative or left out means without a limit. */
static bool limit_argument(struct rule_run *run, const struct rule_value *argument, size_t count,
	size_t i, size_t *limit)
{
	*limit = SIZE_MAX;
	if (i >= count)
		return true;
	if (!rule_is_integer(&argument[i]))
		return rule_raise(run, "TypeError: '%s' object cannot be interpreted as an integer",
			rule_type_name(&argument[i]));
	if (argument[i].integer >= 0)
		*limit = (size_t)argument[i].integer;
	return true;
}

/* ---- replace ---- */

/* How often old stands in s, at most limit. */
static size_t count_matches(struct rule_str s, struct rule_str old, size_t limit)
{
	size_t n = 0, after = 0;

	while (n < limit && rule_text_next(s, old, after, &after) != SIZE_MAX)
		n++;
	return n;
}

static char *append(char *to, const char *from, size_t length)
{
	memcpy(to, from, length);
	return to + length;
}

static bool replace(struct rule_run *run, struct rule_str s, struct rule_str old,
	struct rule_str new, size_t limit, struct rule_value *out)
{
	size_t n = count_matches(s, old, limit), at, after = 0, copied = 0, size;
	char *data, *end;

	if (__builtin_mul_overflow(n, new.length, &size) ||
		__builtin_add_overflow(size, s.length - n * old.length, &size))
		size = SIZE_MAX;
	data = end = rule_alloc(run, size);
	if (!data)
		return false;
	for (; n > 0; n--) {
		at = rule_text_next(s, old, after, &after);
		end = append(end, s.data + copied, at - copied);
		end = append(end, new.data, new.length);
		copied = at + old.length;
	}
	end = append(end, s.data + copied, s.length - copied);
	*out = rule_str(data, (size_t)(end - data));
	return true;
}

bool rule_method_replace(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	size_t limit;

	for (int i = 1; i <= 2; i++)
		if (argument[i].type != RULE_STR)
			return rule_raise(run,
				"TypeError: replace() argument %d must be str, not %s", i,
				rule_type_name(&argument[i]));
	return limit_argument(run, argument, count, 3, &limit) &&
	       replace(run, argument->str, argument[1].str, argument[2].str, limit, out);
}

/* ---- split ---- */

/* The next part of s from *at, or all that is left when whole. Returns false when there is none;
 * after the last one *at lies behind the end. */
static bool next_field(struct rule_str s, const struct rule_str *separator, bool whole, size_t *at,
	struct rule_str *part)
{
	size_t from = *at, end;

	if (from > s.length)
		return false;
	end = whole ? SIZE_MAX : rule_text_find(s, *separator, from);
	*at = end == SIZE_MAX ? s.length + 1 : end + separator->length;
	*part = (struct rule_str){ s.data + from, (end == SIZE_MAX ? s.length : end) - from };
	return true;
}

/* From at on, the first place with white space, or without. */
static size_t skip(struct rule_str s, size_t at, bool space)
{
	size_t bytes;

	for (; at < s.length; at += bytes)
		if (rule_is_space(rule_utf8_decode(s.data + at, s.length - at, &bytes)) != space)
			break;
	return at;
}

/* The same for words between white space. */
static bool next_word(struct rule_str s, bool whole, size_t *at, struct rule_str *part)
{
	size_t from = skip(s, *at, true);

	*at = whole ? s.length : skip(s, from, false);
	*part = (struct rule_str){ s.data + from, *at - from };
	return part->length > 0;
}

static bool next_part(struct rule_str s, const struct rule_str *separator, bool whole, size_t *at,
	struct rule_str *part)
{
	return separator ? next_field(s, separator, whole, at, part)
			 : next_word(s, whole, at, part);
}

/* The separator and the limit that split() and rsplit() may have; NULL: white space. */
static bool split_arguments(struct rule_run *run, const struct rule_value *argument, size_t count,
	const struct rule_str **separator, size_t *limit)
{
	*separator = NULL;
	if (count > 1 && argument[1].type != RULE_NONE) {
		if (argument[1].type != RULE_STR)
			return rule_raise(run, "TypeError: must be str or None, not %s",
				rule_type_name(&argument[1]));
		*separator = &argument[1].str;
		if ((*separator)->length == 0)
			return rule_raise(run, "ValueError: empty separator");
	}
	return limit_argument(run, argument, count, 2, limit);
}

bool rule_method_split(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_str *separator;
	struct rule_value *item;
	struct rule_str part;
	size_t limit, at = 0, n = 0;

	if (!split_arguments(run, argument, count, &separator, &limit))
		return false;
	while (next_part(argument->str, separator, n == limit, &at, &part))
		n++;
	item = rule_alloc(run, n * sizeof(*item));
	if (!item)
		return false;
	*out = (struct rule_value){ .type = RULE_LIST, .items = { item, n } };
	for (at = 0, n = 0; next_part(argument->str, separator, n == limit, &at, &part); n++)
		item[n] = rule_str(part.data, part.length);
	return true;
}

/* ---- rsplit ---- */

/* The place behind the last character before end that is no white space, or is. */
static size_t skip_back(struct rule_str s, size_t end, bool space)
{
	size_t before, bytes;

	for (; end > 0; end = before) {
		before = rule_utf8_before(s, end);
		if (rule_is_space(rule_utf8_decode(s.data + before, end - before, &bytes)) != space)
			break;
	}
	return end;
}

/* The last part of s before *end, or all that is left when whole. *end is SIZE_MAX after the last
 * one. */
static bool last_part(struct rule_str s, const struct rule_str *separator, bool whole, size_t *end,
	struct rule_str *part)
{
	size_t from;

	if (*end == SIZE_MAX)
		return false;
	if (!separator) {
		*end = skip_back(s, *end, true);
		from = whole ? 0 : skip_back(s, *end, false);
		*part = (struct rule_str){ s.data + from, *end - from };
		*end = from;
		return part->length > 0;
	}
	from = whole ? SIZE_MAX
		     : rule_text_find_last((struct rule_str){ s.data, *end }, *separator);
	if (from == SIZE_MAX) {
		*part = (struct rule_str){ s.data, *end };
		*end = SIZE_MAX;
		return true;
	}
	*part = (struct rule_str){ s.data + from + separator->length,
		*end - from - separator->length };
	*end = from;
	return true;
}

bool rule_method_rsplit(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_str s = argument->str, *separator;
	struct rule_value *item;
	struct rule_str part;
	size_t limit, end = s.length, n = 0;

	if (!split_arguments(run, argument, count, &separator, &limit) ||
		!rule_charge_product(run, s.length, separator ? separator->length : 0))
		return false;
	while (last_part(s, separator, n == limit, &end, &part))
		n++;
	item = rule_alloc(run, n * sizeof(*item));
	if (!item)
		return false;
	*out = (struct rule_value){ .type = RULE_LIST, .items = { item, n } };
	end = s.length;
	for (size_t i = 0; last_part(s, separator, i == limit, &end, &part); i++)
		item[n - 1 - i] = rule_str(part.data, part.length);
	return true;
}

/* ---- partition, splitlines ---- */

bool rule_method_partition(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_str s = argument->str, part = argument[1].str;
	struct rule_value *item = rule_alloc(run, 3 * sizeof(*item));
	size_t at, after;

	(void)count; /* always 2 */
	if (!item)
		return false;
	if (argument[1].type != RULE_STR)
		return rule_raise(
			run, "TypeError: must be str, not %s", rule_type_name(&argument[1]));
	if (part.length == 0)
		return rule_raise(run, "ValueError: empty separator");
	at = rule_text_find(s, part, 0);
	after = at == SIZE_MAX ? s.length : at + part.length;
	item[0] = rule_str(s.data, at == SIZE_MAX ? s.length : at);
	item[1] = rule_str(part.data, at == SIZE_MAX ? 0 : part.length);
	item[2] = rule_str(s.data + after, s.length - after);
	*out = (struct rule_value){ .type = RULE_TUPLE, .items = { item, 3 } };
	return true;
}

/* The bytes of the line break at at; 0 when there is none. */
static size_t line_break(struct rule_str s, size_t at)
{
	size_t bytes;
	uint32_t code = rule_utf8_decode(s.data + at, s.length - at, &bytes);

	if (code == '\r' && at + 1 < s.length && s.data[at + 1] == '\n')
		return 2;
	return (code >= '\n' && code <= '\r') || (code >= 0x1c && code <= 0x1e) || code == 0x85 ||
			       code == 0x2028 || code == 0x2029
		       ? bytes
		       : 0;
}

/* The line at *at, which moves behind it; *end is where its break begins. */
static bool next_line(struct rule_str s, size_t *at, size_t *end)
{
	size_t bytes, stop = 0;

	*end = *at;
	if (*at == s.length)
		return false;
	for (; *end < s.length && !(stop = line_break(s, *end)); *end += bytes)
		(void)rule_utf8_decode(s.data + *end, s.length - *end, &bytes);
	*at = *end + stop;
	return true;
}

bool rule_method_splitlines(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_str s = argument->str;
	size_t at = 0, from = 0, end, n = 0;
	struct rule_value *item;

	if (count > 1 && !rule_need_int(run, &argument[1]))
		return false;
	while (next_line(s, &at, &end))
		n++;
	item = rule_alloc(run, n * sizeof(*item));
	if (!item)
		return false;
	*out = (struct rule_value){ .type = RULE_LIST, .items = { item, n } };
	for (at = 0; next_line(s, &at, &end); from = at)
		*item++ = rule_str(
			s.data + from, (count > 1 && argument[1].integer ? at : end) - from);
	return true;
}

/* ---- join ---- */

bool rule_method_join(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_str s = argument->str;
	struct rule_items all;
	size_t size = 0;
	char *data, *end;

	(void)count; /* always 2 */
	if (!(RULE_TYPES_ITERABLE & 1U << argument[1].type))
		return rule_raise(run, "TypeError: can only join an iterable");
	if (!rule_to_items(run, &argument[1], &all) || !rule_charge(run, all.count))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (all.item[i].type != RULE_STR)
			return rule_raise(run,
				"TypeError: sequence item %zu: expected str instance, %s found", i,
				rule_type_name(&all.item[i]));
		size += all.item[i].str.length + (i ? s.length : 0);
		if (size > RULE_RUN_BYTES)
			size = RULE_RUN_BYTES + 1; /* too much in any case */
	}
	data = end = rule_alloc(run, size);
	if (!data)
		return false;
	for (size_t i = 0; i < all.count; i++) {
		if (i)
			end = append(end, s.data, s.length);
		end = append(end, all.item[i].str.data, all.item[i].str.length);
	}
	*out = rule_str(data, (size_t)(end - data));
	return true;
}
