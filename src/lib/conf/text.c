/*
 * text: reads a configuration file, blanks its comments and splits it into tokens.
 *
 * libconfuse 3.3 cannot be trusted with the raw text: its line numbers drift after comments, a
 * comment inside a list is a syntax error, an open comment or string silently swallows the rest,
 * and characters that it does not know vanish (src/lexer.l). So every such thing is found here,
 * with its line; comments become blanks, which keeps lines and columns. What is a word, a string, a
 * comment follows src/lexer.l exactly: both must see the same tokens.
 */
#define _GNU_SOURCE
#include "conf/work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE_LIMIT = 4 * 1024 * 1024 }; /* far above any real file; a device or a log is refused */

static void failed(struct conf_work *work, size_t source, const char *remedy)
{
	conf_unreadable(work, source, "read configuration", remedy);
	work->syntax = true;
}

static void whole_file(struct conf_work *work, size_t source, const char *what, const char *remedy)
{
	conf_report(work, (struct conf_place){ source, 0 }, NULL,
		"unable to read configuration: %s; %s", what, remedy);
	work->syntax = true;
}

/* Returns 0 with the text in source, or -1 with errno. */
static int slurp(int fd, size_t size, struct conf_source *source)
{
	ssize_t n;

	source->text = calloc(1, size + 1);
	if (!source->text)
		return -1;
	while (source->length < size) {
		n = read(fd, source->text + source->length, size - source->length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		source->length += (size_t)n;
	}
	return 0;
}

void conf_read(struct conf_work *work, const char *name)
{
	struct conf_source *grown, *source;
	size_t index = work->source_count;
	struct stat st;
	int fd = -1;

	grown = reallocarray(work->source, index + 1, sizeof(*grown));
	if (!grown) {
		work->no_memory = true;
		return;
	}
	work->source = grown;
	source = &grown[index];
	*source = (struct conf_source){ .name = conf_copy(work, name, strlen(name)) };
	if (!source->name)
		return;
	work->source_count++;
	/* non-blocking: a FIFO in conf.d must not hang the start */
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		failed(work, index, "check the path and its permissions");
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		whole_file(work, index,
			S_ISDIR(st.st_mode) ? "it is a directory" : "not a regular file",
			"give the path of a configuration file");
		goto out;
	}
	if (st.st_size > SIZE_LIMIT) {
		whole_file(work, index, "it is larger than 4 MB", "is it a configuration file?");
		goto out;
	}
	if (index == 0) {
		work->conf->device = st.st_dev;
		work->conf->inode = st.st_ino;
	}
	if (slurp(fd, (size_t)st.st_size, source) < 0)
		failed(work, index, "check the disk");
out:
	if (fd >= 0)
		(void)close(fd); /* only read from */
}

struct cursor {
	struct conf_work *work;
	size_t source;
	char *text;
	size_t at, end;
	int line;
};

static struct conf_place here(const struct cursor *c)
{
	return (struct conf_place){ c->source, c->line };
}

static void wrong(struct cursor *c, const char *message)
{
	conf_report(c->work, here(c), NULL, "%s", message);
	c->work->syntax = true;
}

/* What is neither comment nor blank would be compared with tags, which are UTF-8, and never equal
 * them. */
static void check_utf8(struct cursor *c, size_t length)
{
	const char *bad = text_not_utf8(c->text + c->at, length);
	int line = c->line, column = 1;

	if (!bad)
		return;
	for (const char *p = c->text + c->at; p < bad; p++)
		line += *p == '\n';
	for (const char *p = bad; p > c->text && p[-1] != '\n'; p--)
		column += ((unsigned char)p[-1] & 0xc0) != 0x80;
	conf_report(c->work, (struct conf_place){ c->source, line }, NULL,
		"column %d: the byte 0x%02x is not UTF-8; save the file as UTF-8", column,
		(unsigned char)*bad);
	c->work->syntax = true;
}

static void token(struct cursor *c, int kind, size_t length)
{
	struct conf_source *s = &c->work->source[c->source];
	struct conf_token *grown =
		conf_grow(c->work, s->token, s->token_count, &s->token_size, sizeof(*s->token));

	check_utf8(c, length);
	if (!grown)
		return;
	s->token = grown;
	grown += s->token_count++;
	grown->kind = kind;
	grown->at = c->at;
	grown->length = length;
	grown->line = c->line;
}

/* Blanks length bytes and moves past them, counting lines. */
static void blank(struct cursor *c, size_t length)
{
	for (; length && c->at < c->end; length--, c->at++) {
		if (c->text[c->at] == '\n')
			c->line++;
		else
			c->text[c->at] = ' ';
	}
}

static void block_comment(struct cursor *c)
{
	char *close = memmem(c->text + c->at + 2, c->end - c->at - 2, "*/", 2);

	if (!close)
		wrong(c, "the comment that begins here is not closed; add */");
	blank(c, close ? (size_t)(close + 2 - c->text) - c->at : c->end - c->at);
}

/* "${NAME}" and "${NAME:-default}" are replaced from the environment; an unset one would silently
 * become nothing. at stands at the "$". */
static void variable(struct cursor *c, size_t at)
{
	const char *close = memchr(c->text + at, '}', c->end - at);
	const char *name = c->text + at + 2;
	size_t length;
	char copy[256];

	/* libconfuse looks for the } first, even behind the closing quote */
	if (!close || strcspn(name, "\"'\n{") < (size_t)(close - name)) {
		wrong(c, "a variable ${NAME} is not closed; add }, or write \\$ for a dollar sign");
		return;
	}
	length = (size_t)(close - name);
	if (memmem(name, length, ":-", 2) || length >= sizeof(copy))
		return;
	memcpy(copy, name, length);
	copy[length] = '\0';
	if (!getenv(copy))
		conf_report(c->work, here(c), NULL,
			"the environment has no variable %s; set it, or write ${%s:-DEFAULT}, or "
			"\\$ for a "
			"dollar sign",
			copy, copy);
}

/* True when a line inside a string looks like the next statement: its closing quote was forgotten.
 */
static bool looks_like_statement(const char *line, const char *end)
{
	const char *p = line, *word;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p < end && *p == '}')
		return true;
	for (word = p; p < end && ((*p >= 'a' && *p <= 'z') || *p == '_');)
		p++;
	if (p == word)
		return false;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p + 1 < end && *p == '=' && p[1] != '=';
}

/* Octal escapes are refused although libconfuse has them: \0 would end the value silently. */
static void escape(struct cursor *c, char quote, size_t at)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	char next = c->text[at + 1];
	size_t digits = strspn(c->text + at + 2, hex), zeros = strspn(c->text + at + 2, "0");

	if (quote == '\'' || (next && strchr("nrbfaetv\\\"'$\n", next)))
		return;
	if (next == 'x' && digits && zeros < 2 && !(zeros && digits == zeros))
		return;
	conf_report(c->work, here(c), NULL,
		"\\%c is not an escape sequence here; write \\\\ for a backslash, or use single "
		"quotes",
		next);
	c->work->syntax = true;
}

static void quoted(struct cursor *c)
{
	char quote = c->text[c->at];
	size_t p = c->at + 1;
	int line = c->line;

	for (; p < c->end && c->text[p] != quote; p++) {
		if (c->text[p] == '\\' && p + 1 < c->end) {
			escape(c, quote, p);
			p++;
		} else if (quote == '"' && c->text[p] == '$' && c->text[p + 1] == '{') {
			variable(c, p);
		}
		if (c->text[p] != '\n')
			continue;
		if (looks_like_statement(c->text + p + 1, c->text + c->end))
			break;
		line++;
	}
	if (p >= c->end || c->text[p] == '\n') {
		wrong(c, "the string that begins here is not closed; add the closing quote");
		/* go on as if it ended with its line: what follows is looked at, too */
		for (p = c->at; p + 1 < c->end && c->text[p + 1] != '\n'; p++)
			;
		line = c->line;
	}
	token(c, CONF_QUOTED, p + 1 - c->at);
	c->at = p + 1;
	c->line = line;
}

static void bare_word(struct cursor *c)
{
	size_t n = 0;

	if (c->text[c->at] == '$' && c->text[c->at + 1] == '{') {
		const char *close = memchr(c->text + c->at, '}', c->end - c->at);

		variable(c, c->at);
		n = close ? (size_t)(close + 1 - c->text) - c->at : c->end - c->at;
		token(c, CONF_WORD, n);
		c->at += n;
		return;
	}
	while (c->at + n < c->end && !strchr(" #\"'\t\n\r={}()+,*", c->text[c->at + n]))
		n++;
	token(c, CONF_WORD, n);
	c->at += n;
	/* '$' is part of a word, so "${" in the middle of one is not a variable */
	if (c->at < c->end && c->text[c->at] == '{' && c->text[c->at - 1] == '$')
		wrong(c, "a variable inside an unquoted value; put the value in double quotes");
}

static void step(struct cursor *c)
{
	const char *p = c->text + c->at;
	const char *newline;

	if (*p == '\n') {
		c->line++;
		c->at++;
	} else if (*p == ' ' || *p == '\t' || *p == '\r') {
		blank(c, 1);
	} else if (*p == '#' || (p[0] == '/' && p[1] == '/')) {
		newline = memchr(p, '\n', c->end - c->at);
		blank(c, newline ? (size_t)(newline - p) : c->end - c->at);
	} else if (p[0] == '/' && p[1] == '*') {
		block_comment(c);
	} else if (*p == '"' || *p == '\'') {
		quoted(c);
	} else if (strchr("{}=,", *p)) {
		token(c, CONF_MARK, 1);
		c->at++;
	} else if (strchr("()+*", *p)) {
		conf_report(c->work, here(c), NULL,
			"unexpected character '%c'; put values with special characters in quotes",
			*p);
		c->work->syntax = true;
		c->at++;
	} else {
		bare_word(c);
	}
}

void conf_tokenize(struct conf_work *work, size_t source)
{
	struct cursor c = { work, source, work->source[source].text, 0, work->source[source].length,
		1 };

	const char *nul;

	if (!c.text)
		return;
	nul = memchr(c.text, '\0', c.end);
	if (nul) {
		for (const char *p = c.text; p < nul; p++)
			c.line += *p == '\n';
		wrong(&c, "a NUL byte; is it a text file?");
		return;
	}
	if (c.end >= 3 && memcmp(c.text, "\xef\xbb\xbf", 3) == 0)
		blank(&c, 3); /* the byte order mark that some editors write */
	while (c.at < c.end && !work->no_memory)
		step(&c);
}
