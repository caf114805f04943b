/*
 * lex: cuts the text of a rule into tokens: names, operators, numbers, strings, old tags.
 *
 * A line may end anywhere between two tokens, as inside Python's parentheses. Not supported, each
 * with its own message: \N{NAME}, bytes, f-strings, imaginary numbers, ints of more than 64
 * bits.
 */
#include "rule/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rule/text.h"

/* Python's, even those that no rule can use: the parser then names what it found. Longest first. */
static const char *const operators[] = { "**=", "//=", ">>=", "<<=", "...",
	"==", "!=", "<=", ">=", "<<", ">>", "**", "//", ":=", "->",
	"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "+", "-", "*", "/", "%", "(", ")", "[", "]",
	"{", "}", ",", ":", ".", "<", ">", "=", "&", "|", "^", "~", ";" };

static bool name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

bool rule_lex_error(struct rule_lexer *lexer, const char *at, const char *format, ...)
{
	struct rule_error *error = lexer->error;
	va_list arguments;
	const char *p = lexer->text;
	size_t bytes;

	error->line = error->column = 1;
	while (p < at) {
		(void)rule_utf8_decode(p, (size_t)(lexer->end - p), &bytes);
		error->column = *p == '\n' ? 1 : error->column + 1;
		error->line += *p == '\n';
		p += bytes;
	}
	va_start(arguments, format);
	rule_message_list(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	return false;
}

bool rule_lex_no_memory(struct rule_lexer *lexer, const char *at)
{
	lexer->error->no_memory = true;
	return rule_lex_error(lexer, at, "out of memory");
}

static void skip_space(struct rule_lexer *lexer)
{
	while (lexer->at < lexer->end && strchr(" \t\r\n\f#", *lexer->at)) {
		if (*lexer->at == '#')
			while (lexer->at + 1 < lexer->end && lexer->at[1] != '\n')
				lexer->at++;
		lexer->at++;
	}
}

/* mercure's older @NAME@. */
static bool lex_old_tag(struct rule_lexer *lexer, struct rule_token *token)
{
	const char *name = lexer->at + 1, *end = name;
	char *copy;

	while (end < lexer->end && (name_start(*end) || digit(*end)))
		end++;
	if (end == name || end == lexer->end || *end != '@')
		return rule_lex_error(lexer, lexer->at, "'@' begins no tag; expected @NAME@");
	copy = rule_pool_alloc(lexer->pool, (size_t)(end - name) + 1);
	if (!copy)
		return rule_lex_no_memory(lexer, lexer->at);
	memcpy(copy, name, (size_t)(end - name));
	copy[end - name] = '\0';
	token->type = TOKEN_OLD_TAG;
	token->value = rule_str(copy, (size_t)(end - name));
	lexer->at = end + 1;
	return true;
}

static bool lex_operator(struct rule_lexer *lexer, struct rule_token *token)
{
	size_t left = (size_t)(lexer->end - lexer->at), length;
	uint32_t code;

	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		length = strlen(operators[i]);
		if (length > left || memcmp(operators[i], lexer->at, length) != 0)
			continue;
		token->type = TOKEN_OPERATOR;
		lexer->at += length;
		return true;
	}
	code = rule_utf8_decode(lexer->at, left, &length);
	if (code > ' ' && code < 0x7f)
		return rule_lex_error(lexer, lexer->at, "unexpected character '%c'", (char)code);
	return rule_lex_error(
		lexer, lexer->at, "unexpected character U+%04X outside a string", (unsigned)code);
}

/* ---- literals ---- */

struct literal {
	struct rule_lexer *lexer;
	char *out;
	size_t length;
};

static void literal_add(struct literal *l, uint32_t code)
{
	l->length += rule_utf8_encode(code, l->out + l->length);
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Up to max digits; returns how many there were. */
static size_t read_digits(
	const char *p, const char *end, unsigned base, size_t max, uint32_t *value)
{
	size_t n = 0;

	*value = 0;
	while (n < max && p + n < end && digit_value(p[n]) < (int)base)
		*value = *value * base + (uint32_t)digit_value(p[n++]);
	return n;
}

/* \xhh, \uhhhh and \Uhhhhhhhh; at stands on the letter. */
static bool read_hex_escape(struct literal *l, size_t digits)
{
	const char *start = l->lexer->at + 1;
	uint32_t value;

	if (read_digits(start, l->lexer->end, 16, digits, &value) != digits)
		return rule_lex_error(l->lexer, start - 2, "'\\%c' needs %zu hexadecimal digits",
			start[-1], digits);
	if (value > 0x10ffff)
		return rule_lex_error(
			l->lexer, start - 2, "no such character; at most \\U0010FFFF");
	literal_add(l, value);
	l->lexer->at = start + digits;
	return true;
}

/* at stands behind the backslash. */
static bool read_escape(struct literal *l)
{
	static const char letters[] = "\\'\"abfnrtv", values[] = "\\'\"\a\b\f\n\r\t\v";
	const char *p = l->lexer->at, *found = strchr(letters, *p);
	uint32_t value;

	if (*p >= '0' && *p <= '7') {
		l->lexer->at += read_digits(p, l->lexer->end, 8, 3, &value);
		literal_add(l, value);
		return true;
	}
	if (*p == 'x' || *p == 'u' || *p == 'U')
		return read_hex_escape(l, *p == 'x' ? 2 : *p == 'u' ? 4 : 8);
	if (*p == 'N')
		return rule_lex_error(l->lexer, p - 1, "\\N{...} is not supported; use \\uXXXX");
	l->lexer->at++;
	if (*p == '\n')
		return true;
	if (*p != '\0' && found) {
		literal_add(l, (unsigned char)values[found - letters]);
		return true;
	}
	/* Python keeps the backslash of an escape that it does not know. */
	l->out[l->length++] = '\\';
	l->out[l->length++] = *p;
	return true;
}

/* The closing quote, which is one quote or three, or NULL. */
static const char *string_end(const char *p, const char *end, const char *close, size_t quotes)
{
	for (; (size_t)(end - p) >= quotes; p++) {
		if (memcmp(p, close, quotes) == 0)
			return p;
		if (quotes == 1 && *p == '\n')
			return NULL;
		if (*p == '\\' && ++p == end)
			return NULL;
	}
	return NULL;
}

static bool read_string(struct literal *l, const char *end, bool raw)
{
	struct rule_lexer *lexer = l->lexer;

	while (lexer->at < end) {
		if (raw || *lexer->at != '\\') {
			l->out[l->length++] = *lexer->at++;
			continue;
		}
		lexer->at++;
		if (!read_escape(l))
			return false;
	}
	return true;
}

static bool lex_string(struct rule_lexer *lexer, struct rule_token *token)
{
	struct literal l = { .lexer = lexer };
	char close[3];
	const char *end;
	size_t quotes = 1;
	bool raw = false;

	for (; *lexer->at != '\'' && *lexer->at != '"'; lexer->at++) {
		if (strchr("fF", *lexer->at))
			return rule_lex_error(lexer, token->start,
				"an f-string is not part of the rule language; "
				"write '{}'.format(x), or join texts with +");
		if (strchr("bB", *lexer->at))
			return rule_lex_error(lexer, token->start,
				"a string with the prefix '%c' is not supported", *lexer->at);
		raw |= *lexer->at == 'r' || *lexer->at == 'R';
	}
	memset(close, *lexer->at, sizeof(close));
	if (lexer->end - lexer->at >= 3 && memcmp(lexer->at, close, 3) == 0)
		quotes = 3;
	lexer->at += quotes;
	end = string_end(lexer->at, lexer->end, close, quotes);
	if (!end)
		return rule_lex_error(lexer, token->start,
			"this string does not end; expected %.*s behind it", (int)quotes, close);
	/* No escape is shorter than the character that it stands for. */
	l.out = rule_pool_alloc(lexer->pool, (size_t)(end - lexer->at) + 1);
	if (!l.out)
		return rule_lex_no_memory(lexer, token->start);
	if (!read_string(&l, end, raw))
		return false;
	l.out[l.length] = '\0';
	lexer->at = end + quotes;
	token->type = TOKEN_CONSTANT;
	token->value = rule_str(l.out, l.length);
	return true;
}

/* Digits with single '_' between them. Returns where they end; copies them to *out. */
static const char *copy_digits(const char *p, const char *end, int base, char **out)
{
	const char *start = p;

	while (p < end &&
		(digit_value(*p) < base || (*p == '_' && p > start && p[-1] != '_' && p + 1 < end &&
						   digit_value(p[1]) < base))) {
		if (*p != '_')
			*(*out)++ = *p;
		p++;
	}
	return p;
}

static const char *copy_exponent(const char *p, const char *end, char **out)
{
	size_t sign = p + 1 < end && (p[1] == '+' || p[1] == '-');

	if (p == end || (*p | 0x20) != 'e' || p + 1 + sign >= end || digit_value(p[1 + sign]) > 9)
		return p;
	memcpy(*out, p, 1 + sign);
	*out += 1 + sign;
	return copy_digits(p + 1 + sign, end, 10, out);
}

/* The digits without '_' in copy, the base in *base. Returns where the literal ends. */
static const char *copy_number(
	const char *p, const char *end, char *copy, int *base, bool *is_float)
{
	const char *stop;

	*base = 10;
	if (end - p > 1 && *p == '0')
		*base = (p[1] | 0x20) == 'x'   ? 16
			: (p[1] | 0x20) == 'o' ? 8
			: (p[1] | 0x20) == 'b' ? 2
					       : 10;
	if (*base != 10) {
		p += 2 + (p + 2 < end && p[2] == '_');
		stop = copy_digits(p, end, *base, &copy);
		*copy = '\0';
		return stop;
	}
	stop = copy_digits(p, end, 10, &copy);
	if (stop < end && *stop == '.') {
		*copy++ = *stop++;
		stop = copy_digits(stop, end, 10, &copy);
		*is_float = true;
	}
	p = stop;
	stop = copy_exponent(p, end, &copy);
	*is_float |= stop != p;
	*copy = '\0';
	return stop;
}

static bool lex_number(struct rule_lexer *lexer, struct rule_token *token)
{
	const char *start = lexer->at;
	const char *end = start;
	char *copy;
	int base;
	bool is_float = false;

	while (end < lexer->end && (digit_value(*end) < 99 || strchr("._", *end) ||
					   (strchr("+-", *end) && (end[-1] | 0x20) == 'e')))
		end++;
	copy = rule_pool_alloc(lexer->pool, (size_t)(end - start) + 1);
	if (!copy)
		return rule_lex_no_memory(lexer, start);
	lexer->at = copy_number(start, lexer->end, copy, &base, &is_float);
	token->type = TOKEN_CONSTANT;
	if (*copy == '\0' ||
		(lexer->at < lexer->end && (digit_value(*lexer->at) < 99 || *lexer->at == '_')))
		return rule_lex_error(lexer, start, "this is no number that Python knows");
	if (is_float) {
		token->value = rule_float(strtod(copy, NULL)); /* too large is inf, as in Python */
		return true;
	}
	if (base == 10 && *copy == '0' && strspn(copy, "0") != strlen(copy))
		return rule_lex_error(lexer, start,
			"a number cannot begin with 0; quote it if it is "
			"text, as tags are");
	errno = 0;
	token->value = rule_int(strtoll(copy, NULL, base));
	if (errno != 0)
		return rule_lex_error(lexer, start, "this number is too large; ints have 64 bits");
	return true;
}

/* ---- tokens ---- */

/* A string's quote, or the letters before it: r'…', u"…". */
static bool string_start(const struct rule_lexer *lexer)
{
	const char *p = lexer->at;

	for (int i = 0; i < 2 && p < lexer->end && strchr("rRuUbBfF", *p); i++)
		p++;
	return p < lexer->end && (*p == '\'' || *p == '"');
}

bool rule_lex_next(struct rule_lexer *lexer, struct rule_token *token)
{
	bool done = true;

	skip_space(lexer);
	*token = (struct rule_token){ .type = TOKEN_END, .start = lexer->at };
	if (lexer->at == lexer->end)
		return true;
	if (string_start(lexer)) {
		done = lex_string(lexer, token);
	} else if (name_start(*lexer->at)) {
		token->type = TOKEN_NAME;
		while (lexer->at < lexer->end && (name_start(*lexer->at) || digit(*lexer->at)))
			lexer->at++;
	} else if (digit(*lexer->at) ||
		   (*lexer->at == '.' && lexer->at + 1 < lexer->end && digit(lexer->at[1]))) {
		done = lex_number(lexer, token);
	} else if (*lexer->at == '@') {
		done = lex_old_tag(lexer, token);
	} else {
		done = lex_operator(lexer, token);
	}
	token->length = (size_t)(lexer->at - token->start);
	return done;
}
