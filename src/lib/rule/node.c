/*
 * node: the parser's tools: looking at tokens, complaining about them, making nodes.
 */
#include "rule/parser.h"

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
		(void)rule_lex_error(p->lexer, p->token.start, "out of memory");
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
