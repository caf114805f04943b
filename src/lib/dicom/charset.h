/*
 * charset: text of DICOM's character sets to UTF-8 (PS3.3 C.12.1.1.2, PS3.5 6.1).
 *
 * What comes out is always valid UTF-8 without NUL, whatever goes in. No text is lost: each byte
 * that cannot be converted becomes U+FFFD. Terms of SpecificCharacterSet are compared by their
 * letters and digits only, so misspelt ones ("ISO_IR192", "ISO-IR 100") are understood. Bytes above
 * 127 without a set that declares them are taken for UTF-8 if the whole value is that, else for the
 * first set that could have been switched on but was not.
 */
#ifndef CHARSET_H
#define CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct charset_set;

/* Start with { 0 }: the default repertoire, ISO-IR 6. */
struct charset {
	const char *multibyte; /* iconv's name of a set that knows no escapes, or NULL */
	const struct charset_set *g0, *g1; /* what each value begins with; NULL: ASCII, nothing */
	const struct charset_set
		*guess; /* for bytes above 127 that no escape sequence introduces */
};

/* Which delimiters end an escape sequence's reach (PS3.5 6.1.2.5.3), by kind of VR. */
enum charset_kind {
	CHARSET_TEXT,   /* LT, ST, UT: '\' is text */
	CHARSET_VALUES, /* LO, SH, UC and all others: '\' separates values */
	CHARSET_NAMES   /* PN: '^' and '=' separate as well */
};

/* Takes the value of SpecificCharacterSet. What it does not know counts as absent. */
void charset_parse(struct charset *c, const char *value, size_t length);

/* Adds the text to out. Returns false when something had to be replaced or guessed. */
bool charset_decode(const struct charset *c, enum charset_kind kind, const unsigned char *in,
	size_t length, struct buf *out);

#endif
