/*
 * parse: what the two halves of the parser share: operators in parse.c, the things that they work
 * on in primary.c.
 *
 * What returns a pointer returns NULL after an error, which is then reported; what returns bool
 * returns false.
 */
#ifndef RULE_PARSE_H
#define RULE_PARSE_H

#include "rule/call.h"
#include "rule/tree.h"

#define RULE_VALUE_EXPECTED "a value such as tags.NAME, 'text' or a number"

struct rule_parser {
	struct rule_lexer *lexer;
	struct rule_token token; /* the next one */
	const char *end;         /* of the one before it */
	size_t node_count;
	bool (*known)(const char *name);
	unsigned depth; /* of the recursion */
};

bool rule_token_is(const struct rule_token *token, const char *text);
bool rule_advance(struct rule_parser *p);
/* Steps over the token text; complains that expected is missing when another one is found. */
bool rule_expect(struct rule_parser *p, const char *text, const char *expected);
/* Reports "found X, expected Y" at the next token. Returns NULL. */
struct rule_node *rule_unexpected(struct rule_parser *p, const char *expected);

/* Its text begins at the next token; rule_node_add() and rule_node_end() widen it. */
struct rule_node *rule_node_new(struct rule_parser *p, enum rule_node_type type);
/* The node's text, when there is a node, ends with the token before the next one. */
void rule_node_end(const struct rule_parser *p, struct rule_node *node);
struct rule_node *rule_node_constant(struct rule_parser *p, struct rule_value value);
/* Returns parent; NULL when parent or kid is NULL already, or the tree grows too deep. */
struct rule_node *rule_node_add(
	struct rule_parser *p, struct rule_node *parent, struct rule_node *kid);

/* Bracket a recursion. */
bool rule_enter(struct rule_parser *p);
void rule_leave(struct rule_parser *p);

/* The next token is what Python or mercure's rules have, and rules here do not: reports what to
 * write instead. Returns false. */
bool rule_foreign(struct rule_parser *p);
/* The next token is a name that means nothing here. Returns NULL. */
struct rule_node *rule_unknown_name(struct rule_parser *p);

/* Whether the next token is tags itself, and not the beginning of a tag. */
bool rule_at_all_tags(const struct rule_parser *p);
/* name in tags, or not in: whether there is such a tag. That is known now; nothing is compared. */
struct rule_node *rule_parse_in_tags(
	struct rule_parser *p, struct rule_node *name, enum rule_compare compare);

struct rule_node *rule_parse_expression(struct rule_parser *p);
struct rule_node *rule_parse_primary(struct rule_parser *p);

#endif
