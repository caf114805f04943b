#define _GNU_SOURCE /* wcwidth, nl_langinfo_l */
#include "cli/show.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/log.h"

enum { WIDTH = 80, WIDTH_MIN = 60, WIDTH_MAX = 120, TEXT_MIN = 30 };

static bool utf8;
static unsigned width = WIDTH;

void show_open(void)
{
	struct winsize size;
	locale_t theirs = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

	/* Not the user's own: strcasecmp() must not turn Turkish. glibc has C.UTF-8 built in
	 * since 2.35. */
	utf8 = theirs != (locale_t)0 && setlocale(LC_CTYPE, "C.UTF-8") &&
	       strcmp(nl_langinfo_l(CODESET, theirs), "UTF-8") == 0;
	if (theirs != (locale_t)0)
		freelocale(theirs);
	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* in order with messages; no harm if not */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		width = size.ws_col < WIDTH_MIN   ? WIDTH_MIN
			: size.ws_col > WIDTH_MAX ? WIDTH_MAX
						  : size.ws_col;
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
		if (columns > 0)
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
