#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct buf *b, size_t more)
{
	size_t need, capacity;
	char *data;

	if (b->failed || more >= SIZE_MAX / 2 - b->length) {
		b->failed = true;
		return false;
	}
	need = b->length + more + 1;
	if (need <= b->capacity)
		return true;
	capacity = b->capacity ? b->capacity : 64;
	while (capacity < need)
		capacity *= 2;
	data = realloc(b->data, capacity);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->capacity = capacity;
	return true;
}

void buf_add(struct buf *b, const void *data, size_t length)
{
	if (!reserve(b, length))
		return;
	memcpy(b->data + b->length, data, length);
	b->length += length;
	b->data[b->length] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0 || !reserve(b, (size_t)n)) {
		b->failed = true;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(b->data + b->length, (size_t)n + 1, format, args); /* measured above */
	va_end(args);
	b->length += (size_t)n;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

int parse_long(const char *text, long min, long max, long *out)
{
	char *end;
	long value;

	if (*text < '0' || *text > '9') {
		errno = EINVAL;
		return -1;
	}
	errno = 0;
	value = strtol(text, &end, 10);
	if (*end) {
		errno = EINVAL;
		return -1;
	}
	if (errno || value < min || value > max) {
		errno = ERANGE;
		return -1;
	}
	*out = value;
	return 0;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool name_chars(const char *name, const char *punctuation, size_t max)
{
	size_t n = 0;

	if (!is_alnum(name[0]))
		return false;
	for (; name[n]; n++)
		if (n == max || !(is_alnum(name[n]) || strchr(punctuation, name[n])))
			return false;
	return true;
}

bool name_ok(const char *name)
{
	return name_chars(name, "._~-", 200);
}

bool uid_ok(const char *uid)
{
	return name_chars(uid, "._-", 64);
}

uint32_t str_hash(const char *text)
{
	uint32_t hash = 2166136261u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619u;
	return hash;
}

/* The length of the UTF-8 character at p, 2 to 4 (RFC 3629); 0: there is none. */
static int utf8_length(const unsigned char *p)
{
	static const struct {
		unsigned char first, last, low,
			high; /* range of the first byte, and of the second */
		int length;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (p[0] < forms[i].first || p[0] > forms[i].last)
			continue;
		if (p[1] < forms[i].low || p[1] > forms[i].high)
			return 0;
		for (int k = 2; k < forms[i].length; k++)
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

/* The length of the control character at p; 0: there is none. U+0080 to U+009F are some (C1):
 * U+009B alone begins what a terminal obeys. */
static int control_length(const unsigned char *p)
{
	if (*p < 0x20 || *p == 0x7f)
		return 1;
	return p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
}

bool text_has_control(const char *text)
{
	for (; *text; text++)
		if (control_length((const unsigned char *)text))
			return true;
	return false;
}

void text_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p;) {
		int length = *p < 0x80 ? 1 : utf8_length(p), control = control_length(p);

		if (length == 0)
			*p = '?';
		for (int i = 0; i < control; i++)
			p[i] = ' ';
		p += length > 0 ? length : 1;
	}
}

const char *text_not_utf8(const char *text, size_t length)
{
	for (const char *end = text + length; text < end;) {
		unsigned char next[5] = { 0 }; /* ends with a 0, which is in no character */
		size_t left = (size_t)(end - text);
		int bytes;

		memcpy(next, text, left < 4 ? left : 4);
		bytes = next[0] < 0x80 ? 1 : utf8_length(next);
		if (bytes == 0)
			return text;
		text += bytes;
	}
	return NULL;
}
