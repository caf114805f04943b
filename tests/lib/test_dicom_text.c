/* Unit tests of dicom.h and charset.h: what becomes of values and of text. */
#define _GNU_SOURCE /* memfd_create() */
#include "dicom/charset.h"
#include "dicom_test.h"

/* From PS3.5 annexes H to K, from PS3.3 C.12.1.1.2, and by hand. */
static const struct {
	const char *name, *set;
	enum charset_kind kind;
	const char *in, *out;
	bool good;
} cases[] = {
	{ "ASCII", "", CHARSET_NAMES, "A^B=C", "A^B=C", true },
	{ "Latin 1", "ISO_IR 100", CHARSET_NAMES, "\xc4neas^R\xfc", "\xc3\x84neas^R\xc3\xbc",
		true },
	{ "Latin 1, misspelt", "iso-ir 100 ", CHARSET_NAMES, "\xc4", "\xc3\x84", true },
	{ "Greek", "ISO_IR 126", CHARSET_VALUES, "\xc4\\\xe9", "\xce\x94\\\xce\xb9", true },
	{ "Thai", "ISO_IR 166", CHARSET_VALUES, "\xb9", "\xe0\xb8\x99", true },
	{ "a hole in a set", "ISO_IR 127", CHARSET_VALUES,
		"a\xa1"
		"b",
		"a\xef\xbf\xbd"
		"b",
		false },
	{ "half-width katakana", "ISO_IR 13", CHARSET_NAMES, "\xd4\xcf^\xc0",
		"\xef\xbe\x94\xef\xbe\x8f^\xef\xbe\x80", true },
	{ "yen sign in text", "ISO_IR 13", CHARSET_TEXT, "\\~", "\xc2\xa5\xe2\x80\xbe", true },
	{ "backslash between values", "ISO_IR 13", CHARSET_VALUES, "\\~", "\\\xe2\x80\xbe", true },
	{ "JIS X 0208, PS3.5 H.3.1", "\\ISO 2022 IR 87", CHARSET_NAMES,
		"Yamada=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
		"Yamada=\xe5\xb1\xb1\xe7\x94\xb0^\xe5\xa4\xaa\xe9\x83\x8e", true },
	{ "delimiters inside double bytes", "\\ISO 2022 IR 87", CHARSET_NAMES,
		"\x1b$B\x30\x5c\x30\x3d\x1b(B", "\xe7\xa7\xbb\xe7\xb6\xbe", true },
	{ "JIS X 0212", "\\ISO 2022 IR 159", CHARSET_VALUES, "\x1b$(D0*\x1b(Bx",
		"\xe4\xb8\xab"
		"x",
		true },
	{ "a double byte cut in half", "\\ISO 2022 IR 87", CHARSET_VALUES, "\x1b$B;",
		"\xef\xbf\xbd", false },
	{ "halves of different sets", "\\ISO 2022 IR 87", CHARSET_VALUES, "\x1b$B;\xb0",
		"\xef\xbf\xbd\xef\xbf\xbd", false },
	{ "katakana out of range", "ISO_IR 13", CHARSET_VALUES, "\xff", "\xef\xbf\xbd", false },
	{ "double bytes as first set", "ISO 2022 IR 87", CHARSET_VALUES, "a\x1b$B;3\x1b(B",
		"a\xe5\xb1\xb1", true },
	{ "Korean, PS3.5 I.2", "\\ISO 2022 IR 149", CHARSET_NAMES,
		"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce", "Hong=\xe6\xb4\xaa^\xe5\x90\x89", true },
	{ "Korean, not switched on again", "\\ISO 2022 IR 149", CHARSET_NAMES,
		"\x1b$)C\xfb\xf3^\xd1\xce", "\xe6\xb4\xaa^\xe5\x90\x89", true },
	{ "Chinese, PS3.5 K.2", "\\ISO 2022 IR 58", CHARSET_VALUES, "\x1b$)A\xb5\xda\r\n1",
		"\xe7\xac\xac\r\n1", true },
	{ "two single-byte sets", "ISO 2022 IR 100\\ISO 2022 IR 144", CHARSET_NAMES,
		"\xe4\x1b-L\xbb=\xe4", "\xc3\xa4\xd0\x9b=\xc3\xa4", true },
	{ "an unknown escape sequence", "ISO 2022 IR 100", CHARSET_VALUES, "a\x1b%Gb",
		"a\xef\xbf\xbd%Gb", false },
	{ "a lone escape", "ISO_IR 100", CHARSET_VALUES, "a\x1b", "a\xef\xbf\xbd", false },
	{ "UTF-8", "ISO_IR 192", CHARSET_NAMES, "\xe7\x8e\x8b^\xf0\x9f\x98\x80",
		"\xe7\x8e\x8b^\xf0\x9f\x98\x80", true },
	{ "overlong UTF-8", "ISO_IR 192", CHARSET_NAMES, "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd",
		false },
	{ "a surrogate", "ISO_IR 192", CHARSET_NAMES, "\xed\xa0\x80",
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false },
	{ "cut UTF-8", "ISO_IR 192", CHARSET_NAMES, "a\xe7\x8e", "a\xef\xbf\xbd\xef\xbf\xbd",
		false },
	{ "GB18030, four bytes", "GB18030", CHARSET_NAMES, "\x95\x32\x82\x36^\xcd\xf5",
		"\xf0\xa0\x80\x80^\xe7\x8e\x8b", true },
	{ "GB18030, cut", "GB18030", CHARSET_NAMES, "a\x95\x32",
		"a\xef\xbf\xbd"
		"2",
		false },
	{ "GBK with a backslash as second byte", "GBK", CHARSET_VALUES, "\xe7\x5c\\b",
		"\xe9\x8f\xab\\b", true },
	{ "undeclared UTF-8", "", CHARSET_VALUES, "M\xc3\xbc", "M\xc3\xbc", false },
	{ "undeclared Latin 1", "", CHARSET_VALUES, "M\xfc", "M\xef\xbf\xbd", false },
	{ "announced, not switched on", "\\ISO 2022 IR 100", CHARSET_NAMES, "M\xfcller",
		"M\xc3\xbcller", false },
	{ "announced after ASCII, but UTF-8", "ISO 2022 IR 6\\ISO 2022 IR 100", CHARSET_NAMES,
		"M\xc3\xbcller", "M\xc3\xbcller", false },
	{ "Korean, never switched on", "\\ISO 2022 IR 149", CHARSET_NAMES, "Hong=\xfb\xf3",
		"Hong=\xe6\xb4\xaa", false },
	{ "the first of several", "\\ISO 2022 IR 87\\ISO 2022 IR 126\\ISO 2022 IR 144",
		CHARSET_VALUES, "\xc4", "\xce\x94", false },
	{ "UTF-8 as second value", "\\ISO_IR 192", CHARSET_VALUES, "M\xc3\xbc", "M\xc3\xbc", true },
	{ "an unknown set", "ISO_IR 999", CHARSET_VALUES, "M\xfc", "M\xef\xbf\xbd", false },
};

static void test_charsets(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct charset set;
		struct buf out = { 0 };
		bool good;

		charset_parse(&set, cases[i].set, strlen(cases[i].set));
		good = charset_decode(&set, cases[i].kind, (const unsigned char *)cases[i].in,
			strlen(cases[i].in), &out);
		if (!ok(good == cases[i].good && strcmp(out.data, cases[i].out) == 0,
			    cases[i].name))
			printf("# %s\n", out.data);
		buf_free(&out);
	}
}

static void test_values(void)
{
	struct writer w = { .big = false };
	char *big = malloc(70000);

	memset(big, 'a', 70000);
	AROUND(&w, element(&w, 0x00081030, "UNxx", big, 70000));
	ok(strlen(dicom_get(&header, "StudyDescription")) == 65536 &&
			got("SeriesInstanceUID", SERIES),
		"a value is cut at 65536 bytes");
	free(big);
	AROUND(&w, element(&w, 0x00080018, "UI", "1.2\0003.4", 7));
	ok(got("SOPInstanceUID", "1.2\xef\xbf\xbd"
				 "3.4") &&
			header.charset_problem && !uid_ok(dicom_get(&header, "SOPInstanceUID")),
		"a UID with a NUL inside is no valid UID");
	AROUND(&w, element(&w, 0x00080018, "UI", "1.2 \0\0", 6));
	ok(got("SOPInstanceUID", "1.2"), "padding of a UID is removed");
	AROUND(&w, text(&w, 0x00081030, "LO", "  two\\values  "));
	ok(got("StudyDescription", "  two\\values"), "spaces at the beginning stay");
	AROUND(&w, element(&w, 0x00181030, "US", "\1\0\377\377", 4));
	ok(got("ProtocolName", "1\\65535"), "unsigned numbers");
	AROUND(&w, element(&w, 0x00181030, "SL", "\377\377\377\377", 4));
	ok(got("ProtocolName", "-1"), "signed numbers");
	AROUND(&w, element(&w, 0x00180050, "FL", "\0\0\300\77\315\314\314\75", 8));
	ok(got("SliceThickness", "1.5\\0.1"), "real numbers");
	AROUND(&w, element(&w, 0x00181030, "AT", "\10\0\140\0", 4));
	ok(got("ProtocolName", "00080060"), "tags");
	AROUND(&w, text(&w, 0x00081030, "UNxx", "text"));
	ok(got("StudyDescription", "text"), "text under VR UN");
	AROUND(&w, text(&w, 0x00080060, "CS", "MR"));
	ok(got("Modality", "CT"), "the first of two counts");
	AROUND(&w, text(&w, 0x00081030, "LO", "Ko\xb6pf");
		text(&w, 0x00080005, "CS", "ISO_IR 100"));
	ok(got("StudyDescription", "Ko\xc2\xb6pf"), "a character set that comes late");
	AROUND(&w, text(&w, 0x00080005, "CS", "ISO_IR 192");
		element(&w, 0x00081030, "LO", "\xc3\xbc\0x", 4));
	ok(got("StudyDescription", "\xc3\xbc\xef\xbf\xbdx"), "a NUL inside text");
	AROUND(&w, text(&w, 0x00180015, "CS", "K\xc3\xb6"));
	ok(got("BodyPartExamined", "K\xc3\xb6") && header.charset_problem, "a guess is admitted");
	buf_free(&w.b);
}

int main(void)
{
	test_charsets();
	test_values();
	dicom_header_free(&header);
	return tap_done();
}
