/*
 * split: the methods of str that cut it up: replace() and split().
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

bool rule_method_split(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const struct rule_str *separator = NULL;
	struct rule_value *item;
	struct rule_str part;
	size_t limit, at = 0, n = 0;

	if (count > 1 && argument[1].type != RULE_NONE) {
		if (argument[1].type != RULE_STR)
			return rule_raise(run, "TypeError: must be str or None, not %s",
				rule_type_name(&argument[1]));
		separator = &argument[1].str;
		if (separator->length == 0)
			return rule_raise(run, "ValueError: empty separator");
	}
	if (!limit_argument(run, argument, count, 2, &limit))
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
