/*
 * text: UTF-8, what indexing and searching need of it, and the methods of str that pad and strip.
 */
#define _GNU_SOURCE /* memmem(), which is linear in glibc */
#include "rule/text.h"

#include <string.h>

#include "rule/call.h"
#include "rule/run.h"

uint32_t rule_utf8_decode(const char *data, size_t left, size_t *bytes)
{
	const unsigned char *p = (const unsigned char *)data;
	uint32_t code;
	size_t length = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 1;

	*bytes = 1;
	if (length == 1 || length > left || *p > 0xf4)
		return *p;
	code = *p & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return *p;
		code = code << 6 | (p[i] & 0x3f);
	}
	*bytes = length;
	return code;
}

size_t rule_utf8_encode(uint32_t code, char out[4])
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = length; i-- > 1; code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(lead[length] | code);
	return length;
}

size_t rule_utf8_count(struct rule_str s)
{
	return rule_utf8_index(s, s.length);
}

size_t rule_utf8_index(struct rule_str s, size_t offset)
{
	size_t count = 0, bytes;

	for (size_t at = 0; at < offset; at += bytes, count++)
		(void)rule_utf8_decode(s.data + at, s.length - at, &bytes);
	return count;
}

size_t rule_utf8_offset(struct rule_str s, size_t index)
{
	size_t at = 0, bytes;

	for (; index > 0 && at < s.length; index--, at += bytes)
		(void)rule_utf8_decode(s.data + at, s.length - at, &bytes);
	return at;
}

bool rule_is_space(uint32_t code)
{
	return code == ' ' || (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x1f) ||
	       code == 0x85 || code == 0xa0 || code == 0x1680 ||
	       (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
	       code == 0x202f || code == 0x205f || code == 0x3000;
}

size_t rule_text_find(struct rule_str s, struct rule_str needle, size_t from)
{
	const char *found;

	if (from > s.length)
		return SIZE_MAX;
	if (needle.length == 0)
		return from;
	found = memmem(s.data + from, s.length - from, needle.data, needle.length);
	return found ? (size_t)(found - s.data) : SIZE_MAX;
}

/* Backwards the C library has nothing; the caller charges for the worst case. */
size_t rule_text_find_last(struct rule_str s, struct rule_str needle)
{
	if (needle.length > s.length)
		return SIZE_MAX;
	for (size_t at = s.length - needle.length + 1; at-- > 0;)
		if (memcmp(s.data + at, needle.data, needle.length) == 0)
			return at;
	return SIZE_MAX;
}

size_t rule_text_next(struct rule_str s, struct rule_str part, size_t from, size_t *after)
{
	size_t at = rule_text_find(s, part, from), bytes = 1;

	if (at != SIZE_MAX && part.length == 0 && at < s.length)
		(void)rule_utf8_decode(s.data + at, s.length - at, &bytes);
	*after = at + (part.length ? part.length : bytes);
	return at;
}

bool rule_text_pick(struct rule_run *run, struct rule_str s, int64_t start, int64_t stride,
	size_t count, struct rule_value *out)
{
	size_t total = rule_utf8_count(s), length = 0, bytes, from;
	size_t *offset;
	char *data;

	if (stride == 1 || count <= 1) {
		from = rule_utf8_offset(s, (size_t)start);
		s = (struct rule_str){ s.data + from, s.length - from };
		*out = rule_str(s.data, rule_utf8_offset(s, count));
		return true;
	}
	offset = rule_alloc(run, (total + 1) * sizeof(*offset));
	data = rule_alloc(run, s.length);
	if (!offset || !data)
		return false;
	for (size_t at = 0, i = 0; i < total; at += bytes) {
		offset[i++] = at;
		(void)rule_utf8_decode(s.data + at, s.length - at, &bytes);
	}
	offset[total] = s.length;
	for (size_t i = 0; i < count; i++) {
		from = (size_t)(start + (int64_t)i * stride);
		bytes = offset[from + 1] - offset[from];
		memcpy(data + length, s.data + offset[from], bytes);
		length += bytes;
	}
	*out = rule_str(data, length);
	return true;
}

size_t rule_utf8_before(struct rule_str s, size_t at)
{
	do
		at--;
	while (at > 0 && ((unsigned char)s.data[at] & 0xc0) == 0x80);
	return at;
}

/* ---- ord, chr ---- */

bool rule_function_ord(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	size_t bytes = 0;
	uint32_t code = 0;

	(void)count; /* always 1 */
	if (argument->type != RULE_STR)
		return rule_raise(run, "TypeError: ord() expected string of length 1, but %s found",
			rule_type_name(argument));
	if (argument->str.length > 0)
		code = rule_utf8_decode(argument->str.data, argument->str.length, &bytes);
	if (bytes == 0 || bytes != argument->str.length)
		return rule_raise(run,
			"TypeError: ord() expected a character, but string of length %zu found",
			rule_utf8_count(argument->str));
	*out = rule_int(code);
	return true;
}

bool rule_function_chr(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	char *data;

	(void)count; /* always 1 */
	if (!rule_need_int(run, argument))
		return false;
	if (argument->integer < 0 || argument->integer > 0x10ffff)
		return rule_raise(run, "ValueError: chr() arg not in range(0x110000)");
	data = rule_alloc(run, 4);
	if (!data)
		return false;
	*out = rule_str(data, rule_utf8_encode((uint32_t)argument->integer, data));
	return true;
}

/* True when argument i is there, and is not None. */
static bool given(const struct rule_value *argument, size_t count, size_t i)
{
	return i < count && argument[i].type != RULE_NONE;
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
		if (!rule_charge_product(run, s.length, set->length))
			return false;
	}
	for (; left && from < to && stripped(s, from, to, set); from += bytes)
		(void)rule_utf8_decode(s.data + from, to - from, &bytes);
	while (right && to > from && stripped(s, rule_utf8_before(s, to), to, set))
		to = rule_utf8_before(s, to);
	*out = rule_str(s.data + from, to - from);
	return true;
}

bool rule_method_strip(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return strip(run, argument, count, "strip", true, true, out);
}

bool rule_method_lstrip(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return strip(run, argument, count, "lstrip", true, false, out);
}

bool rule_method_rstrip(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return strip(run, argument, count, "rstrip", false, true, out);
}

/* ---- zfill ---- */

bool rule_method_zfill(struct rule_run *run, const struct rule_value *argument, size_t count,
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

/* ---- ljust, rjust ---- */

static bool justify(struct rule_run *run, const struct rule_value *argument, size_t count,
	bool left, struct rule_value *out)
{
	const struct rule_str s = argument->str;
	struct rule_str fill = { " ", 1 };
	const size_t length = rule_utf8_count(s);
	size_t blank, size;
	char *data, *at;

	*out = *argument;
	if (!rule_need_int(run, &argument[1]))
		return false;
	if (count > 2) {
		if (argument[2].type != RULE_STR || rule_utf8_count(argument[2].str) != 1)
			return rule_raise(run,
				"TypeError: The fill character must be exactly one character long");
		fill = argument[2].str;
	}
	if (argument[1].integer <= (int64_t)length)
		return true;
	blank = (size_t)argument[1].integer - length;
	if (__builtin_mul_overflow(blank, fill.length, &size) ||
		__builtin_add_overflow(size, s.length, &size))
		size = SIZE_MAX;
	data = at = rule_alloc(run, size);
	if (!data)
		return false;
	memcpy(left ? data : data + size - s.length, s.data, s.length);
	if (left)
		at += s.length;
	for (; blank > 0; blank--, at += fill.length)
		memcpy(at, fill.data, fill.length);
	*out = rule_str(data, size);
	return true;
}

bool rule_method_ljust(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return justify(run, argument, count, true, out);
}

bool rule_method_rjust(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	return justify(run, argument, count, false, out);
}
