/*
 * lex: cuts the text of a rule into tokens: names, operators, numbers, strings, old tags.
 *
 * A line may end anywhere between two tokens, as inside Python's parentheses. Literals are read in
 * rule_literal.c.
 */
#include "rule/internal.h"

#include <stdarg.h>
#include <string.h>

/* Python's, even those that no rule can use: the parser then names what it found. Longest first. */
static const char *const operators[] = {
	"**=",
	"//=",
	">>=",
	"<<=",
	"...",
	"==",
	"!=",
	"<=",
	">=",
	"<<",
	">>",
	"**",
	"//",
	":=",
	"->",
	"+=",
	"-=",
	"*=",
	"/=",
	"%=",
	"&=",
	"|=",
	"^=",
	"+",
	"-",
	"*",
	"/",
	"%",
	"(",
	")",
	"[",
	"]",
	"{",
	"}",
	",",
	":",
	".",
	"<",
	">",
	"=",
	"&",
	"|",
	"^",
	"~",
	";",
};

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
		return rule_lex_error(lexer, lexer->at, "out of memory");
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
		done = rule_lex_string(lexer, token);
	} else if (name_start(*lexer->at)) {
		token->type = TOKEN_NAME;
		while (lexer->at < lexer->end && (name_start(*lexer->at) || digit(*lexer->at)))
			lexer->at++;
	} else if (digit(*lexer->at) ||
		   (*lexer->at == '.' && lexer->at + 1 < lexer->end && digit(lexer->at[1]))) {
		done = rule_lex_number(lexer, token);
	} else if (*lexer->at == '@') {
		done = lex_old_tag(lexer, token);
	} else {
		done = lex_operator(lexer, token);
	}
	token->length = (size_t)(lexer->at - token->start);
	return done;
}
