/*
 * parse: makes a tree of a rule's text, by recursive descent; each function is a rule of
 * Python's grammar (docs.python.org/3/reference/expressions.html), the tightest binding first.
 *
 * The depth of the tree and of the recursion is bounded by RULE_MAX_DEPTH. Chains of 'and', 'or',
 * comparisons and items are one node each, however long.
 */
#include "rule/parser.h"

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
