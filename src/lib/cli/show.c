#define _GNU_SOURCE /* wcwidth, nl_langinfo_l */
#include "cli/show.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "base/log.h"

enum { WIDTH = 80, WIDTH_MIN = 60, WIDTH_MAX = 120, TEXT_MIN = 30 };

static bool utf8, coloured;
static unsigned width = WIDTH, columns_there;

/* Of the terminal, or as the environment says; 0: it ends nowhere, as in a file. */
static unsigned find_columns(void)
{
	const char *said = getenv("COLUMNS");
	struct winsize size;
	long number;

	if (said && parse_long(said, 1, 10000, &number) == 0)
		return (unsigned)number;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* no-color.org: what matters is that it is there and not empty. */
static bool wants_colours(void)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(none && *none) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

void show_open(void)
{
	locale_t theirs = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

	/* Not the user's own: strcasecmp() must not turn Turkish. glibc has C.UTF-8 built in
	 * since 2.35. */
	utf8 = theirs != (locale_t)0 && setlocale(LC_CTYPE, "C.UTF-8") &&
	       strcmp(nl_langinfo_l(CODESET, theirs), "UTF-8") == 0;
	if (theirs != (locale_t)0)
		freelocale(theirs);
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* in order with messages; no harm if not */
	coloured = wants_colours();
	show_measure();
}

void show_measure(void)
{
	columns_there = find_columns();
	width = WIDTH;
	if (columns_there)
		width = columns_there < WIDTH_MIN   ? WIDTH_MIN
			: columns_there > WIDTH_MAX ? WIDTH_MAX
						    : columns_there;
}

unsigned show_columns(void)
{
	return columns_there;
}

const char *show_colour(enum show_colour colour)
{
	static const char *const codes[] = { [SHOW_PLAIN] = "\033[0m",
		[SHOW_TITLE] = "\033[1m",
		[SHOW_FAINT] = "\033[2m",
		[SHOW_GOOD] = "\033[32m",
		[SHOW_WAITS] = "\033[33m",
		[SHOW_BAD] = "\033[31m" };

	return coloured ? codes[colour] : "";
}

/* A mark upon the letter before it, or what joins letters (U+200C, U+200D), without which names in
 * many scripts cannot be written. What turns the direction of writing is none: it would change what
 * stands beside it. */
static bool is_mark(wchar_t code)
{
	if (code == 0x200c || code == 0x200d)
		return true;
	return iswprint((wint_t)code) && !(code >= 0x200b && code <= 0x200f) &&
	       !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2060 && code <= 0x206f) &&
	       code != 0xad && code != 0x61c && code != 0xfeff && code < 0xe0000;
}

/* The character at text, which is not at its end: its bytes and its columns; -1 columns: not to be
 * shown. */
static size_t character(const char *text, wchar_t *code, int *columns)
{
	mbstate_t state = { 0 };
	size_t bytes = 1;

	*code = (unsigned char)*text;
	*columns = *code >= ' ' && *code < 0x7f ? 1 : -1;
	if (*code < 0x80 || !utf8)
		return 1;
	bytes = mbrtowc(code, text, strlen(text), &state);
	if (bytes > 4) { /* not UTF-8 */
		*code = (unsigned char)*text;
		return 1;
	}
	*columns = wcwidth(*code);
	if (*columns == 0 && !is_mark(*code))
		*columns = -1;
	return bytes;
}

void show_add(struct buf *line, const char *text)
{
	static const char plain[] = "\n\r\t", letters[] = "nrt";
	size_t bytes;
	wchar_t code;
	int columns;

	for (; *text; text += bytes) {
		bytes = character(text, &code, &columns);
		if (columns >= 0)
			buf_add(line, text, bytes);
		else if (code < 0x80 && strchr(plain, (int)code))
			buf_printf(line, "\\%c", letters[strchr(plain, (int)code) - plain]);
		else
			buf_printf(line,
				bytes == 1       ? "\\x%02x"
				: code < 0x10000 ? "\\u%04x"
						 : "\\U%08x",
				(unsigned)code);
	}
}

unsigned show_width(const char *text)
{
	unsigned sum = 0;
	wchar_t code;
	int columns;

	while (*text) {
		text += character(text, &code, &columns);
		sum += columns > 0 ? (unsigned)columns : 0;
	}
	return sum;
}

size_t show_cut(const char *text, unsigned columns, unsigned *used)
{
	size_t at = 0, bytes;
	wchar_t code;
	int taken;

	for (*used = 0; text[at]; at += bytes) {
		bytes = character(text + at, &code, &taken);
		if (taken > 0 && *used + (unsigned)taken > columns)
			break;
		*used += taken > 0 ? (unsigned)taken : 0;
	}
	return at;
}

const char *show_ellipsis(void)
{
	return utf8 ? "\xe2\x80\xa6" : "~";
}

void show_json(json_t *object)
{
	char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;

	/* JSON lets C1 control characters through; they are for no terminal. */
	if (line && text_has_control(line)) {
		free(line);
		line = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	}
	if (!line)
		die(EXIT_TEMPORARY, "unable to print: out of memory; try again");
	(void)puts(line); /* show_close() sees a failure */
	free(line);
	json_decref(object);
}

/* How much of text goes into a line of so many columns: up to the last blank in it, or what fits.
 */
static size_t fitting(const char *text, unsigned columns)
{
	size_t at = 0, blank = 0, bytes;
	wchar_t code;
	int taken;

	for (; text[at]; at += bytes) {
		bytes = character(text + at, &code, &taken);
		if (taken < 0)
			taken = 1;
		if ((unsigned)taken > columns)
			return blank ? blank : at;
		columns -= (unsigned)taken;
		if (text[at] == ' ')
			blank = at;
	}
	return at;
}

static const char *checked(const struct buf *line)
{
	if (line->failed)
		die(EXIT_TEMPORARY, "unable to print: out of memory; try again");
	return line->data ? line->data : "";
}

/* show_close() sees a failure to write. */
void show_whole(struct buf *line, unsigned indent)
{
	(void)printf("%*s%s\n", (int)indent, "", checked(line));
	buf_free(line);
}

void show_line(struct buf *line, unsigned indent)
{
	show_labelled(line, "", 0, indent, false);
}

void show_labelled(struct buf *line, const char *label, unsigned margin, unsigned indent, bool cut)
{
	const char *text = checked(line);
	const unsigned further = indent + 4;
	size_t length;

	(void)printf("%*s%-*s", (int)margin, "", (int)(indent - margin), label);
	for (;;) {
		unsigned left = indent + TEXT_MIN < width ? width - indent : TEXT_MIN;

		length = fitting(text, left);
		if (cut && text[length])
			length = fitting(text, left - 4);
		(void)printf("%.*s%s\n", (int)length, text, cut && text[length] ? " ..." : "");
		text += length;
		text += strspn(text, " ");
		if (!*text || cut)
			break;
		indent = further;
		(void)printf("%*s", (int)indent, "");
	}
	buf_free(line);
}

void show_close(void)
{
	output_flush();
}
