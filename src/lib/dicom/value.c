#include "dicom/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The VRs that are binary numbers (PS3.5 6.2). */
static const struct number {
	const char *vr;
	size_t size;
	enum { UNSIGNED, SIGNED, REAL, TAG } kind;
} numbers[] = {
	{ "US", 2, UNSIGNED },
	{ "UL", 4, UNSIGNED },
	{ "UV", 8, UNSIGNED },
	{ "SS", 2, SIGNED },
	{ "SL", 4, SIGNED },
	{ "SV", 8, SIGNED },
	{ "FL", 4, REAL },
	{ "FD", 8, REAL },
	{ "AT", 4, TAG },
};

/* The VRs that SpecificCharacterSet applies to (PS3.5 6.1.2.3) and their delimiters; the others
 * are of the default repertoire. */
static const struct {
	const char *vr;
	enum charset_kind kind;
} texts[] = {
	{ "LO", CHARSET_VALUES },
	{ "SH", CHARSET_VALUES },
	{ "UC", CHARSET_VALUES },
	{ "PN", CHARSET_NAMES },
	{ "LT", CHARSET_TEXT },
	{ "ST", CHARSET_TEXT },
	{ "UT", CHARSET_TEXT },
};

static uint64_t integer(const unsigned char *p, size_t size, bool big_endian)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | p[big_endian ? i : size - 1 - i];
	return value;
}

/* The shortest decimal that reads back as the same number. */
static void add_real(uint64_t bits, size_t size, struct buf *out)
{
	uint32_t bits32 = (uint32_t)bits;
	char text[40];
	double value;
	float single;

	memcpy(&single, &bits32, sizeof(single));
	memcpy(&value, &bits, sizeof(value));
	for (int digits = 6; digits <= 17; digits++) {
		(void)snprintf(
			text, sizeof(text), "%.*g", digits, size == 4 ? (double)single : value);
		if (size == 4 ? strtof(text, NULL) == single : strtod(text, NULL) == value)
			break;
	}
	buf_puts(out, text);
}

static void add_number(const struct number *n, uint64_t value, struct buf *out)
{
	int unused = 64 - 8 * (int)n->size;

	switch (n->kind) {
	case UNSIGNED:
		buf_printf(out, "%" PRIu64, value);
		break;
	case SIGNED: /* the sign bit to the top, then back: gcc shifts signed numbers arithmetically
		      */
		buf_printf(out, "%" PRId64, (int64_t)(value << unused) >> unused);
		break;
	case REAL:
		add_real(value, n->size, out);
		break;
	case TAG:
		buf_printf(out, "%08" PRIx64, value);
		break;
	}
}

static void add_numbers(const struct number *n, bool big_endian, const unsigned char *data,
	size_t length, struct buf *out)
{
	size_t half = n->size / 2;
	uint64_t value;

	for (size_t i = 0; i + n->size <= length; i += n->size) {
		if (n->kind == TAG) /* two numbers of 16 bits */
			value = integer(data + i, half, big_endian) << 16 |
				integer(data + i + half, half, big_endian);
		else
			value = integer(data + i, n->size, big_endian);
		if (i > 0)
			buf_puts(out, "\\");
		add_number(n, value, out);
	}
}

static const struct number *number_of(const char *vr)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (strcmp(vr, numbers[i].vr) == 0)
			return &numbers[i];
	return NULL;
}

/* True for a VR that says nothing about the value: none, UN, OB and its kin. */
static bool is_bytes(const char *vr)
{
	return !*vr || strcmp(vr, "UN") == 0 || vr[0] == 'O';
}

/* True when the bytes could be text: no control characters but those of PS3.5 6.1.3. */
static bool looks_like_text(const unsigned char *data, size_t length)
{
	static const char controls[] = { '\t', '\n', '\f', '\r', '\033' };

	for (size_t i = 0; i < length; i++)
		if (data[i] == 0x7f ||
			(data[i] < ' ' && !memchr(controls, data[i], sizeof(controls))))
			return false;
	return true;
}

static bool add_text(const struct charset *charset, const char *vr, const unsigned char *data,
	size_t length, struct buf *out)
{
	static const struct charset plain;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (strcmp(vr, texts[i].vr) == 0)
			return charset_decode(charset, texts[i].kind, data, length, out);
	if (is_bytes(vr)) /* nobody knows: a text of the commonest kind */
		return charset_decode(charset, CHARSET_VALUES, data, length, out);
	return charset_decode(&plain, CHARSET_VALUES, data, length, out);
}

bool dicom_value_text(const struct charset *charset, const char *expected, const char *found,
	bool big_endian, const unsigned char *data, size_t length, struct buf *out)
{
	const struct number *number = number_of(is_bytes(found) ? expected : found);

	if (number) {
		add_numbers(number, big_endian, data, length, out);
		return true;
	}
	while (length > 0 && (data[length - 1] == ' ' || data[length - 1] == 0))
		length--;
	if (is_bytes(found) && is_bytes(expected) && !looks_like_text(data, length))
		return true;
	return add_text(charset, *expected ? expected : found, data, length, out);
}
