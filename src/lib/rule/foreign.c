/*
 * foreign: names that mean nothing here; of what Python or mercure's rules have and rules here do
 * not, what to write instead.
 */
#include "rule/parse.h"

#include <stdio.h>
#include <string.h>

static const char no_loop[] = "rules do not loop";
static const char of_items[] =
	"rules do not loop; any_of(), search(), 'in', min(), max(), sum() look at all items";

static const struct {
	const char *name, *instead;
} foreign[] = {
	{ "range", "compare, as in 1 <= x < 5" },
	{ "enumerate", no_loop },
	{ "zip", no_loop },
	{ "filter", of_items },
	{ "map", of_items },
	{ "iter", no_loop },
	{ "next", no_loop },
	{ "reversed", "x[::-1] turns x round" },
	{ "lambda", "write what it would calculate" },
	{ "frozenset", "set() and {...} make sets" },
	{ "complex", "numbers are real" },
	{ "repr", "'%r' % (x,) writes as repr() does" },
	{ "hex", "'%#x' % x writes hexadecimal digits" },
	{ "oct", "'%#o' % x writes octal digits" },
	{ "bin", "format(x, '#b') writes binary digits" },
	{ "fabs", "abs() is known" },
	{ "log", "log10() is known" },
	{ "log2", "log10() is known" },
	{ "exp", "2.718281828459045 ** x is the same" },
	{ "factorial", "write the number" },
	{ "isnan", "x != x is true for a NaN only" },
	{ "isinf", "abs(x) == float('inf') is the same" },
	{ "pi", "write the number" },
	{ "e", "write the number" },
	{ "sin", "there is no trigonometry" },
	{ "cos", "there is no trigonometry" },
	{ "tan", "there is no trigonometry" },
	{ "asin", "there is no trigonometry" },
	{ "acos", "there is no trigonometry" },
	{ "atan", "there is no trigonometry" },
	{ "atan2", "there is no trigonometry" },
	{ "math", "its functions are written without it, as in floor(x)" },
	{ "re", "search(pattern, x) and match(pattern, x) are known" },
	{ "datetime", "date(), time() and age() read what DICOM has" },
};

static const char *instead_of(const struct rule_token *token)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
		if (rule_token_is(token, foreign[i].name))
			return foreign[i].instead;
	return NULL;
}

/* Whether "for NAME" comes later, the name being the next token. */
static bool is_looped(const struct rule_parser *p)
{
	struct rule_error unused;
	struct rule_lexer ahead = *p->lexer;
	struct rule_token token;
	bool loop = false;

	ahead.error = &unused;
	while (rule_lex_next(&ahead, &token) && token.type != TOKEN_END) {
		if (loop && token.type == TOKEN_NAME && token.length == p->token.length &&
			memcmp(token.start, p->token.start, token.length) == 0)
			return true;
		loop = rule_token_is(&token, "for");
	}
	return false;
}

bool rule_foreign(struct rule_parser *p)
{
	const struct rule_token *token = &p->token;

	if (!instead_of(token)) /* for, or a name that it stands before */
		return rule_lex_error(p->lexer, token->start,
			"a comprehension is not part of the rule language; %s", of_items);
	return rule_lex_error(p->lexer, token->start, "%.*s is not part of the rule language; %s",
		(int)token->length, token->start, instead_of(token));
}

struct rule_node *rule_unknown_name(struct rule_parser *p)
{
	const char *at = p->token.start;
	char name[41]; /* more of it would tell nobody more */

	if (instead_of(&p->token) || is_looped(p)) {
		(void)rule_foreign(p);
		return NULL;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)p->token.length, at); /* may be cut */
	if (!rule_advance(p))
		return NULL;
	if (rule_token_is(&p->token, "("))
		(void)rule_lex_error(p->lexer, at,
			"unknown function '%s'; dcmspool-rules(5) lists those there are", name);
	else if (p->known(name))
		(void)rule_lex_error(
			p->lexer, at, "unknown name '%s', expected tags.%s", name, name);
	else
		(void)rule_lex_error(
			p->lexer, at, "unknown name '%s', expected %s", name, RULE_VALUE_EXPECTED);
	return NULL;
}
