/*
 * text: UTF-8, and what indexing and searching need of it.
 */
#define _GNU_SOURCE /* memmem(), which is linear in glibc */
#include "rule/internal.h"

#include <string.h>

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
