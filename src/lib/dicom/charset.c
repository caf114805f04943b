/*
 * ISO 2022 as DICOM uses it: two areas, G0 for bytes below 128 and G1 for those above, each with a
 * current set that escape sequences change and that delimiters put back to what value 1 of
 * SpecificCharacterSet says. glibc's iconv knows the sets but not this state, so each character
 * is converted on its own.
 */
#include "dicom/charset.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

enum { ASCII = 6, KATAKANA = 13, ROMAJI = 14, ESC = 0x1b };

/* PS3.3 tables C.12-2 to C.12-4. Registration numbers of ISO-IR are DICOM's names of the sets. */
struct charset_set {
	int registration;
	const char *escape; /* after ESC */
	int area;           /* 0: G0, 1: G1 */
	size_t width;
	const char *encoding; /* iconv's; NULL: by arithmetic */
	const char *prefix;   /* what that encoding wants before each character */
};
static const struct charset_set sets[] = {
	{ ASCII, "(B", 0, 1, NULL, "" },
	{ ROMAJI, "(J", 0, 1, NULL, "" },
	{ KATAKANA, ")I", 1, 1, NULL, "" },
	{ 100, "-A", 1, 1, "ISO-8859-1", "" },
	{ 101, "-B", 1, 1, "ISO-8859-2", "" },
	{ 109, "-C", 1, 1, "ISO-8859-3", "" },
	{ 110, "-D", 1, 1, "ISO-8859-4", "" },
	{ 144, "-L", 1, 1, "ISO-8859-5", "" },
	{ 127, "-G", 1, 1, "ISO-8859-6", "" },
	{ 126, "-F", 1, 1, "ISO-8859-7", "" },
	{ 138, "-H", 1, 1, "ISO-8859-8", "" },
	{ 148, "-M", 1, 1, "ISO-8859-9", "" },
	{ 203, "-b", 1, 1, "ISO-8859-15", "" },
	{ 166, "-T", 1, 1, "TIS-620", "" },
	{ 87, "$B", 0, 2, "EUC-JP", "" },
	{ 159, "$(D", 0, 2, "EUC-JP", "\x8f" },
	{ 149, "$)C", 1, 2, "EUC-KR", "" },
	{ 58, "$)A", 1, 2, "EUC-CN", "" },
};
enum { SETS = sizeof(sets) / sizeof(*sets) };

/* Sets without escapes: one value of SpecificCharacterSet, for all text (PS3.3 C.12.1.1.2). */
static const struct {
	const char *term, *encoding;
} multibyte[] = {
	{ "ISOIR192", "UTF-8" }, { "UTF8", "UTF-8" }, { "GB18030", "GB18030" }, { "GBK", "GBK" },
	{ "GB2312", "GBK" }, /* not a term of the standard; GBK contains it */
};

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static const struct charset_set *set_of(int registration)
{
	for (size_t i = 0; i < SETS; i++)
		if (sets[i].registration == registration)
			return &sets[i];
	return NULL;
}

/* "ISO 2022 IR 87" becomes "ISO2022IR87". */
static void normalise(const char *term, size_t length, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < length && n + 1 < size; i++) {
		if ((term[i] >= '0' && term[i] <= '9') || (term[i] >= 'A' && term[i] <= 'Z'))
			out[n++] = term[i];
		else if (term[i] >= 'a' && term[i] <= 'z')
			out[n++] = (char)(term[i] - 'a' + 'A');
	}
	out[n] = '\0';
}

static const char *multibyte_of(const char *term)
{
	for (size_t i = 0; i < sizeof(multibyte) / sizeof(*multibyte); i++)
		if (strcmp(term, multibyte[i].term) == 0)
			return multibyte[i].encoding;
	return NULL;
}

/* The set that a normalised term names, or NULL. */
static const struct charset_set *set_of_term(const char *term)
{
	const char *digits = strstr(term, "IR");
	long registration;

	if (!digits || parse_long(digits + 2, 1, 999, &registration) < 0)
		return NULL;
	return set_of((int)registration);
}

/* The first value says what text begins with. Those after it only announce escape sequences, which
 * tell for themselves; but writers exist that leave these out, and some that leave the first value
 * empty where it should name the only set. */
void charset_parse(struct charset *c, const char *value, size_t length)
{
	const char *end = memchr(value, '\\', length);
	const struct charset_set *set;
	char term[24];

	*c = (struct charset){ 0 };
	normalise(value, end ? (size_t)(end - value) : length, term, sizeof(term));
	c->multibyte = multibyte_of(term);
	set = set_of_term(term);
	if (set && set->area == 1) /* a double-byte G0 must be switched on by its escape sequence */
		c->g1 = set;
	if (set && set->registration == KATAKANA)
		c->g0 = set_of(ROMAJI);
	while (end && !c->multibyte) {
		length -= (size_t)(end + 1 - value);
		value = end + 1;
		end = memchr(value, '\\', length);
		normalise(value, end ? (size_t)(end - value) : length, term, sizeof(term));
		set = set_of_term(term);
		if (set && set->area == 1 && !c->guess)
			c->guess = set;
		if (!c->g1)
			c->multibyte = multibyte_of(term);
	}
}

/* The length of the UTF-8 sequence at p, 0 if there is none (RFC 3629: no surrogates, shortest
 * form, up to U+10FFFF). */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > left || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static bool is_utf8(const unsigned char *in, size_t length)
{
	size_t n;

	for (size_t i = 0; i < length; i += n) {
		n = utf8_length(in + i, length - i);
		if (n == 0)
			return false;
	}
	return true;
}

/* Converters stay open for the life of the process: opening one costs more than an image. */
static iconv_t converter(const char *encoding)
{
	static struct {
		const char *encoding;
		iconv_t iconv;
	} open[SETS + sizeof(multibyte) / sizeof(*multibyte)];
	size_t i = 0;

	while (open[i].encoding && strcmp(open[i].encoding, encoding) != 0)
		i++;
	if (!open[i].encoding) {
		open[i].encoding = encoding;
		open[i].iconv = iconv_open("UTF-8", encoding);
	}
	return open[i].iconv;
}

/* Converts one character. False, with nothing added, when iconv does not know it. */
static bool convert(const char *encoding, const unsigned char *in, size_t length, struct buf *out)
{
	iconv_t iconv_id = converter(encoding);
	char from[8], to[16], *source = from, *target = to;
	size_t left = length, room = sizeof(to);

	if (iconv_id == (iconv_t)-1 || length > sizeof(from))
		return false;
	memcpy(from, in, length);
	(void)iconv(iconv_id, NULL, NULL, NULL, NULL); /* back to the start; cannot fail */
	if (iconv(iconv_id, &source, &left, &target, &room) == (size_t)-1 || left > 0)
		return false;
	buf_add(out, to, sizeof(to) - room);
	return true;
}

static bool replace(struct buf *out)
{
	buf_puts(out, replacement);
	return false;
}

/* The length of the character of a set without escapes that begins at p. */
static size_t multibyte_length(const char *encoding, const unsigned char *p, size_t left)
{
	if (strcmp(encoding, "UTF-8") == 0)
		return utf8_length(p, left);
	if (left < 2)
		return 0;
	if (p[1] < '0' || p[1] > '9')
		return 2;
	return left >= 4 ? 4 : 0; /* GB18030: a digit as second byte means four */
}

static bool decode_multibyte(
	const char *encoding, const unsigned char *in, size_t length, struct buf *out)
{
	bool utf8 = strcmp(encoding, "UTF-8") == 0, good = true;
	size_t n;

	for (size_t i = 0; i < length; i += n) {
		n = 1;
		if (in[i] == 0) {
			good = replace(out);
			continue;
		}
		if (in[i] < 0x80) {
			buf_add(out, in + i, 1);
			continue;
		}
		n = multibyte_length(encoding, in + i, length - i);
		if (n > 0 && utf8) {
			buf_add(out, in + i, n);
		} else if (n == 0 || !convert(encoding, in + i, n, out)) {
			good = replace(out);
			n = 1;
		}
	}
	return good;
}

/* A value in the making: the sets in force, and the last G1 that was switched on, because writers
 * exist that do not switch it on again after a delimiter. */
struct state {
	const struct charset *charset;
	enum charset_kind kind;
	const struct charset_set *g0, *g1, *last_g1;
	struct buf *out;
};

static bool is_double(const struct charset_set *set)
{
	return set && set->width == 2;
}

/* Follows the escape sequence at in. Returns its length, or 0 if it is none of DICOM's. */
static size_t follow_escape(struct state *s, const unsigned char *in, size_t left)
{
	size_t n;

	for (size_t i = 0; i < SETS; i++) {
		n = strlen(sets[i].escape);
		if (left <= n || memcmp(in + 1, sets[i].escape, n) != 0)
			continue;
		if (sets[i].area == 0)
			s->g0 = &sets[i];
		else
			s->g1 = s->last_g1 = &sets[i];
		return n + 1;
	}
	return 0;
}

static bool is_delimiter(enum charset_kind kind, unsigned char byte)
{
	switch (byte) {
	case '\t':
	case '\n':
	case '\f':
	case '\r':
		return true;
	case '\\':
		return kind != CHARSET_TEXT;
	case '^':
	case '=':
		return kind == CHARSET_NAMES;
	default:
		return false;
	}
}

static bool add_low(struct state *s, unsigned char byte)
{
	bool romaji = s->g0 && s->g0->registration == ROMAJI;

	if (byte == 0)
		return replace(s->out);
	if (is_delimiter(s->kind, byte)) {
		s->g0 = s->charset->g0;
		s->g1 = s->charset->g1;
	} else if (romaji && byte == '\\') {
		buf_puts(s->out, "\xc2\xa5"); /* JIS X 0201 has the yen sign here */
		return true;
	} else if (romaji && byte == '~') {
		buf_puts(s->out, "\xe2\x80\xbe"); /* and the overline here */
		return true;
	}
	buf_add(s->out, &byte, 1);
	return true;
}

/* One character of a set above 127 or of two bytes; returns its length, 0 if it cannot be read. */
static size_t add_high(
	struct state *s, const struct charset_set *set, const unsigned char *in, size_t left)
{
	unsigned char character[4];
	size_t n = 0;

	if (!set || left < set->width)
		return 0;
	if (set->registration == KATAKANA) { /* U+FF61 is 0xa1; three bytes of UTF-8 */
		unsigned code = 0xff61u + in[0] - 0xa1u;

		if (in[0] < 0xa1 || in[0] > 0xdf)
			return 0;
		character[n++] = (unsigned char)(0xe0 | code >> 12);
		character[n++] = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		character[n++] = (unsigned char)(0x80 | (code & 0x3f));
		buf_add(s->out, character, n);
		return 1;
	}
	if (set->prefix[0])
		character[n++] = (unsigned char)set->prefix[0];
	for (size_t i = 0; i < set->width; i++) {
		if (i > 0 && (in[i] < 0x20 || (in[i] ^ in[0]) & 0x80))
			return 0;              /* the second byte must lie in the same half */
		character[n++] = in[i] | 0x80; /* iconv wants both sets in the upper half */
	}
	return convert(set->encoding, character, n, s->out) ? set->width : 0;
}

static bool decode_iso2022(const struct charset *c, enum charset_kind kind, const unsigned char *in,
	size_t length, struct buf *out)
{
	struct state s = { .charset = c, .kind = kind, .g0 = c->g0, .g1 = c->g1, .out = out };
	const struct charset_set *set;
	bool good = true;
	size_t n;

	for (size_t i = 0; i < length; i += n) {
		n = in[i] == ESC ? follow_escape(&s, in + i, length - i) : 0;
		if (n > 0)
			continue;
		if (in[i] < 0x80 && in[i] != ESC && !(is_double(s.g0) && in[i] > 0x20)) {
			good &= add_low(&s, in[i]);
			n = 1;
			continue;
		}
		set = in[i] < 0x80 ? s.g0 : s.g1 ? s.g1 : s.last_g1;
		if (!set && in[i] >= 0x80) {
			set = c->guess;
			good = false;
		}
		n = in[i] == ESC ? 0 : add_high(&s, set, in + i, length - i);
		if (n == 0) {
			good = replace(out);
			n = 1;
		}
	}
	return good;
}

bool charset_decode(const struct charset *c, enum charset_kind kind, const unsigned char *in,
	size_t length, struct buf *out)
{
	bool high = false, control = false;

	for (size_t i = 0; i < length; i++) {
		high |= in[i] >= 0x80;
		control |= in[i] == 0 || in[i] == ESC;
	}
	if (!high && !control && !c->g0) {
		buf_add(out, in, length);
		return true;
	}
	if (c->multibyte)
		return decode_multibyte(c->multibyte, in, length, out);
	if (high && !control && !c->g1 && is_utf8(in, length)) {
		buf_add(out, in, length);
		return false;
	}
	return decode_iso2022(c, kind, in, length, out);
}
