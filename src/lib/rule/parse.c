/*
 * parse: makes a tree of a rule's text, by recursive descent; each function is a rule of
 * Python's grammar (docs.python.org/3/reference/expressions.html), the tightest binding first; what
 * operators work on is read in primary.c.
 *
 * The depth of the tree and of the recursion is bounded by RULE_MAX_DEPTH. Chains of 'and', 'or',
 * comparisons and items are one node each, however long.
 */
#include "rule/parse.h"

#include <string.h>

enum { SHOWN_BYTES = 40 }; /* of a token in a message */

bool rule_token_is(const struct rule_token *token, const char *text)
{
	return (token->type == TOKEN_NAME || token->type == TOKEN_OPERATOR) &&
	       token->length == strlen(text) && memcmp(token->start, text, token->length) == 0;
}

bool rule_advance(struct rule_parser *p)
{
	p->end = p->token.start + p->token.length;
	return rule_lex_next(p->lexer, &p->token);
}

struct rule_node *rule_unexpected(struct rule_parser *p, const char *expected)
{
	const char *start = p->token.start;
	int shown = (int)p->token.length;

	if (shown > SHOWN_BYTES)
		for (shown = SHOWN_BYTES; ((unsigned char)start[shown] & 0xc0) == 0x80; shown--)
			;
	if (p->token.type == TOKEN_END)
		(void)rule_lex_error(
			p->lexer, start, "found the end of the rule, expected %s", expected);
	else if (rule_token_is(&p->token, "="))
		(void)rule_lex_error(p->lexer, start,
			"found '=', which assigns; expected %s; '==' compares", expected);
	else
		(void)rule_lex_error(
			p->lexer, start, "found %.*s, expected %s", shown, start, expected);
	return NULL;
}

bool rule_expect(struct rule_parser *p, const char *text, const char *expected)
{
	if (rule_token_is(&p->token, text))
		return rule_advance(p);
	(void)rule_unexpected(p, expected);
	return false;
}

struct rule_node *rule_node_new(struct rule_parser *p, enum rule_node_type type)
{
	struct rule_node *node = rule_pool_alloc(p->lexer->pool, sizeof(*node));

	if (!node) {
		(void)rule_lex_no_memory(p->lexer, p->token.start);
		return NULL;
	}
	*node = (struct rule_node){
		.type = type, .text = p->token.start, .number = p->node_count++
	};
	return node;
}

void rule_node_end(const struct rule_parser *p, struct rule_node *node)
{
	if (node)
		node->length = (size_t)(p->end - node->text);
}

struct rule_node *rule_node_constant(struct rule_parser *p, struct rule_value value)
{
	struct rule_node *node = rule_node_new(p, NODE_CONSTANT);

	if (node)
		node->constant = value;
	return node;
}

static bool check_depth(struct rule_parser *p, unsigned depth)
{
	return depth < RULE_MAX_DEPTH ||
	       rule_lex_error(p->lexer, p->token.start,
		       "this is nested more than %d deep; split the rule", (int)RULE_MAX_DEPTH);
}

struct rule_node *rule_node_add(
	struct rule_parser *p, struct rule_node *parent, struct rule_node *kid)
{
	if (!parent || !kid || !check_depth(p, kid->depth))
		return NULL;
	if (parent->depth <= kid->depth)
		parent->depth = kid->depth + 1;
	if (parent->last)
		parent->last->next = kid;
	else
		parent->first = kid;
	parent->last = kid;
	parent->kid_count++;
	if (kid->text < parent->text)
		parent->text = kid->text;
	rule_node_end(p, parent);
	return parent;
}

bool rule_enter(struct rule_parser *p)
{
	return check_depth(p, p->depth++);
}

void rule_leave(struct rule_parser *p)
{
	p->depth--;
}

/* ---- operators ---- */

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *text;
	enum rule_compare compare;
} comparisons[] = {
	{ "==", RULE_EQ },
	{ "!=", RULE_NE },
	{ "<=", RULE_LE },
	{ ">=", RULE_GE },
	{ "<", RULE_LT },
	{ ">", RULE_GT },
	{ "in", RULE_IN },
	{ "not", RULE_NOT_IN },
	{ "is", RULE_IS },
};

/* Left-associative binary operators; a higher level binds tighter. */
enum { LEVELS = 5 };
static const struct {
	const char *text;
	int level;
	enum rule_arithmetic arithmetic;
} binaries[] = {
	{ "|", 0, RULE_BIT_OR },
	{ "^", 1, RULE_BIT_XOR },
	{ "&", 2, RULE_BIT_AND },
	{ "+", 3, RULE_ADD },
	{ "-", 3, RULE_SUBTRACT },
	{ "*", 4, RULE_MULTIPLY },
	{ "/", 4, RULE_DIVIDE },
	{ "//", 4, RULE_FLOOR_DIVIDE },
	{ "%", 4, RULE_MODULO },
};

static struct rule_node *parse_unary(struct rule_parser *p);

/* -2 ** -1 is -(2 ** (-1)): ** binds tighter than a sign on its left, and looser on its right. */
static struct rule_node *parse_power(struct rule_parser *p)
{
	struct rule_node *node = rule_parse_primary(p);

	if (!node || !rule_token_is(&p->token, "**"))
		return node;
	node = rule_node_add(p, rule_node_new(p, NODE_ARITHMETIC), node);
	if (!node || !rule_enter(p) || !rule_advance(p))
		return NULL;
	node->arithmetic = RULE_POWER;
	node = rule_node_add(p, node, parse_unary(p));
	rule_leave(p);
	return node;
}

static struct rule_node *parse_unary(struct rule_parser *p)
{
	static const struct {
		const char *text;
		enum rule_node_type type;
	} signs[] = { { "-", NODE_NEGATE }, { "+", NODE_PLUS }, { "~", NODE_INVERT } };
	struct rule_node *node;
	size_t i = 0;

	while (i < COUNT(signs) && !rule_token_is(&p->token, signs[i].text))
		i++;
	if (i == COUNT(signs))
		return parse_power(p);
	node = rule_node_new(p, signs[i].type);
	if (!node || !rule_enter(p) || !rule_advance(p))
		return NULL;
	node = rule_node_add(p, node, parse_unary(p));
	rule_leave(p);
	return node;
}

/* The index in binaries, or -1. */
static int find_binary(const struct rule_token *token, int level)
{
	for (size_t i = 0; i < COUNT(binaries); i++)
		if (binaries[i].level == level && rule_token_is(token, binaries[i].text))
			return (int)i;
	return -1;
}

static struct rule_node *parse_binary(struct rule_parser *p, int level)
{
	struct rule_node *left, *node;
	int found;

	if (level == LEVELS)
		return parse_unary(p);
	left = parse_binary(p, level + 1);
	while (left && (found = find_binary(&p->token, level)) >= 0) {
		node = rule_node_add(p, rule_node_new(p, NODE_ARITHMETIC), left);
		if (!node || !rule_advance(p))
			return NULL;
		node->arithmetic = binaries[found].arithmetic;
		left = rule_node_add(p, node, parse_binary(p, level + 1));
	}
	return left;
}

/* Steps over a comparison operator when there is one, which *found says. */
static bool accept_comparison(struct rule_parser *p, enum rule_compare *compare, bool *found)
{
	size_t i = 0;

	while (i < COUNT(comparisons) && !rule_token_is(&p->token, comparisons[i].text))
		i++;
	*found = i < COUNT(comparisons);
	if (!*found)
		return true;
	*compare = comparisons[i].compare;
	if (!rule_advance(p))
		return false;
	if (*compare == RULE_NOT_IN)
		return rule_expect(p, "in", "'in' behind 'not'");
	if (*compare == RULE_IS && rule_token_is(&p->token, "not")) {
		*compare = RULE_IS_NOT;
		return rule_advance(p);
	}
	return true;
}

/* Identity means something for None, True and False only. */
static bool check_is(struct rule_parser *p, const struct rule_node *kid, const char *at)
{
	if (kid->compare != RULE_IS && kid->compare != RULE_IS_NOT)
		return true;
	if (kid->type == NODE_CONSTANT &&
		(kid->constant.type == RULE_NONE || kid->constant.type == RULE_BOOL))
		return true;
	return rule_lex_error(p->lexer, at, "expected None behind 'is'; '==' compares values");
}

static struct rule_node *parse_comparison(struct rule_parser *p)
{
	struct rule_node *kid = parse_binary(p, 0), *chain = NULL;
	enum rule_compare compare;
	const char *at;
	bool found;

	while (kid) {
		if (!accept_comparison(p, &compare, &found))
			return NULL;
		if (!found)
			return chain ? chain : kid;
		if (!chain && (compare == RULE_IN || compare == RULE_NOT_IN) && rule_at_all_tags(p))
			return rule_parse_in_tags(p, kid, compare);
		if (!chain)
			chain = rule_node_add(p, rule_node_new(p, NODE_COMPARE), kid);
		at = p->token.start;
		kid = parse_binary(p, 0);
		if (!kid)
			return NULL;
		kid->compare = compare;
		if (!check_is(p, kid, at))
			return NULL;
		chain = rule_node_add(p, chain, kid);
		if (!chain)
			return NULL;
	}
	return NULL;
}

static struct rule_node *parse_not(struct rule_parser *p)
{
	struct rule_node *node;

	if (!rule_token_is(&p->token, "not"))
		return parse_comparison(p);
	node = rule_node_new(p, NODE_NOT);
	if (!node || !rule_enter(p) || !rule_advance(p))
		return NULL;
	node = rule_node_add(p, node, parse_not(p));
	rule_leave(p);
	return node;
}

static struct rule_node *parse_and(struct rule_parser *p)
{
	struct rule_node *kid = parse_not(p), *node;

	if (!kid || !rule_token_is(&p->token, "and"))
		return kid;
	node = rule_node_add(p, rule_node_new(p, NODE_AND), kid);
	while (node && rule_token_is(&p->token, "and"))
		node = rule_advance(p) ? rule_node_add(p, node, parse_not(p)) : NULL;
	return node;
}

static struct rule_node *parse_or(struct rule_parser *p)
{
	struct rule_node *kid = parse_and(p), *node;

	if (!kid || !rule_token_is(&p->token, "or"))
		return kid;
	node = rule_node_add(p, rule_node_new(p, NODE_OR), kid);
	while (node && rule_token_is(&p->token, "or"))
		node = rule_advance(p) ? rule_node_add(p, node, parse_and(p)) : NULL;
	return node;
}

/* then "if" condition "else" otherwise */
static struct rule_node *parse_conditional(struct rule_parser *p, struct rule_node *then)
{
	struct rule_node *node = rule_node_new(p, NODE_CONDITIONAL);

	if (!rule_advance(p))
		return NULL;
	node = rule_node_add(p, node, parse_or(p));
	node = rule_node_add(p, node, then);
	if (!node || !rule_expect(p, "else", "'else'"))
		return NULL;
	return rule_node_add(p, node, rule_parse_expression(p));
}

struct rule_node *rule_parse_expression(struct rule_parser *p)
{
	struct rule_node *node;

	if (!rule_enter(p))
		return NULL;
	node = parse_or(p);
	if (node && rule_token_is(&p->token, "if"))
		node = parse_conditional(p, node);
	rule_leave(p);
	return node;
}

struct rule_node *rule_parse(
	struct rule_lexer *lexer, bool (*known)(const char *name), size_t *count)
{
	struct rule_parser parser = {
		.lexer = lexer, .known = known, .token = { .start = lexer->at }
	};
	struct rule_node *node;

	if (!rule_advance(&parser))
		return NULL;
	node = rule_parse_expression(&parser);
	if (node && parser.token.type != TOKEN_END)
		return rule_unexpected(&parser, "an operator or the end of the rule");
	*count = parser.node_count;
	return node;
}
