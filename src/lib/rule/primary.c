/*
 * primary: parses what operators work on: literals, tags, calls, lists, and what is written
 * behind them: methods, indices, slices.
 */
#include "rule/parse.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static struct rule_node *parse_tag(
	struct rule_parser *p, const char *name, size_t length, const char *at)
{
	struct rule_node *node = rule_node_new(p, NODE_TAG);
	char *copy = rule_pool_alloc(p->lexer->pool, length + 1);

	if (!node || !copy) {
		(void)rule_lex_no_memory(p->lexer, at);
		return NULL;
	}
	memcpy(copy, name, length);
	copy[length] = '\0';
	if (strlen(copy) != length || !p->known(copy)) {
		(void)rule_lex_error(p->lexer, at, "no such tag '%s'", copy);
		if (length < sizeof(p->lexer->error->name))
			memcpy(p->lexer->error->name, copy, length + 1);
		return NULL;
	}
	node->constant = rule_str(copy, length);
	return node;
}

/* .NAME or ["NAME"], behind tags */
static struct rule_node *parse_tags(struct rule_parser *p)
{
	const char *start = p->token.start;
	struct rule_node *node;
	struct rule_token name;
	bool dot;

	if (!rule_advance(p))
		return NULL;
	dot = rule_token_is(&p->token, ".");
	if (!dot && !rule_token_is(&p->token, "["))
		return rule_unexpected(p, "'.NAME' or '[\"NAME\"]' behind 'tags'");
	if (!rule_advance(p))
		return NULL;
	name = p->token;
	if (dot ? name.type != TOKEN_NAME
		: name.type != TOKEN_CONSTANT || name.value.type != RULE_STR)
		return rule_unexpected(
			p, dot ? "the name of a tag" : "the name of a tag in quotes");
	node = dot ? parse_tag(p, name.start, name.length, name.start)
		   : parse_tag(p, name.value.str.data, name.value.str.length, name.start);
	if (!node || !rule_advance(p) || (!dot && !rule_expect(p, "]", "']'")))
		return NULL;
	node->text = start;
	return node;
}

bool rule_at_all_tags(const struct rule_parser *p)
{
	struct rule_error unused;
	struct rule_lexer ahead = *p->lexer;
	struct rule_token next;

	ahead.error = &unused;
	return rule_token_is(&p->token, "tags") &&
	       !(rule_lex_next(&ahead, &next) &&
		       (rule_token_is(&next, ".") || rule_token_is(&next, "[")));
}

struct rule_node *rule_parse_in_tags(
	struct rule_parser *p, struct rule_node *name, enum rule_compare compare)
{
	struct rule_node *node = rule_node_constant(p, (struct rule_value){ .type = RULE_BOOL });
	const struct rule_str *s = &name->constant.str;
	bool known;

	if (!node || name->type != NODE_CONSTANT || name->constant.type != RULE_STR) {
		if (node)
			(void)rule_lex_error(p->lexer, name->text,
				"expected the name of a tag in quotes before 'in tags'");
		return NULL;
	}
	known = strlen(s->data) == s->length && p->known(s->data);
	node->constant = rule_bool(known == (compare == RULE_IN));
	node->text = name->text;
	if (!rule_advance(p))
		return NULL;
	rule_node_end(p, node);
	return node;
}

/* Adjacent strings are one. */
static bool join_strings(struct rule_parser *p, struct rule_str *whole)
{
	struct buf b = { 0 };
	char *copy;

	buf_add(&b, whole->data, whole->length);
	while (p->token.type == TOKEN_CONSTANT && p->token.value.type == RULE_STR) {
		buf_add(&b, p->token.value.str.data, p->token.value.str.length);
		if (!rule_advance(p)) {
			buf_free(&b);
			return false;
		}
	}
	copy = b.failed ? NULL : rule_pool_alloc(p->lexer->pool, b.length + 1);
	if (copy) {
		memcpy(copy, b.data, b.length + 1);
		*whole = (struct rule_str){ copy, b.length };
	}
	buf_free(&b);
	return copy || rule_lex_no_memory(p->lexer, p->token.start);
}

static struct rule_node *parse_constant(struct rule_parser *p)
{
	struct rule_node *node = rule_node_constant(p, p->token.value);

	if (!node || !rule_advance(p))
		return NULL;
	if (node->constant.type == RULE_STR && p->token.type == TOKEN_CONSTANT &&
		p->token.value.type == RULE_STR && !join_strings(p, &node->constant.str))
		return NULL;
	return node;
}

/* Behind an item: a comma, which *commas counts, or close. */
static bool accept_comma(struct rule_parser *p, const char *close, size_t *commas)
{
	char expected[] = "',' or ' '";

	if (rule_token_is(&p->token, close))
		return true;
	if (rule_token_is(&p->token, "for"))
		return rule_foreign(p);
	expected[sizeof(expected) - 3] = *close;
	++*commas;
	return rule_expect(p, ",", expected);
}

/* Items up to close, added to node; the opening bracket is stepped over. */
static struct rule_node *parse_items(
	struct rule_parser *p, struct rule_node *node, const char *close, size_t *commas)
{
	*commas = 0;
	while (node && !rule_token_is(&p->token, close)) {
		node = rule_node_add(p, node, rule_parse_expression(p));
		if (!node || !accept_comma(p, close, commas))
			return NULL;
	}
	return node && rule_advance(p) ? node : NULL;
}

/* A tuple, or an expression in parentheses. */
static struct rule_node *parse_parentheses(struct rule_parser *p)
{
	struct rule_node *node = rule_node_new(p, NODE_TUPLE);
	size_t commas;

	if (!rule_advance(p))
		return NULL;
	node = parse_items(p, node, ")", &commas);
	if (node && node->kid_count == 1 && commas == 0) {
		node->first->text = node->text;
		node = node->first;
	}
	return node;
}

static struct rule_node *parse_list(struct rule_parser *p)
{
	struct rule_node *node = rule_node_new(p, NODE_LIST);
	size_t commas;

	return rule_advance(p) ? parse_items(p, node, "]", &commas) : NULL;
}

/* : VALUE, behind the key of a dict. */
static struct rule_node *parse_pair(struct rule_parser *p, struct rule_node *node)
{
	if (!rule_expect(p, ":", "':' and a value behind a key"))
		return NULL;
	return rule_node_add(p, node, rule_parse_expression(p));
}

/* A set or a dict, which is what its first item makes it; {} is a dict. */
static struct rule_node *parse_braces(struct rule_parser *p)
{
	struct rule_node *node = rule_node_new(p, NODE_DICT);
	size_t commas = 0;

	if (!rule_advance(p))
		return NULL;
	while (node && !rule_token_is(&p->token, "}")) {
		node = rule_node_add(p, node, rule_parse_expression(p));
		if (node && node->kid_count == 1 && !rule_token_is(&p->token, ":"))
			node->type = NODE_SET;
		if (node && node->type == NODE_DICT)
			node = parse_pair(p, node);
		if (!node || !accept_comma(p, "}", &commas))
			return NULL;
	}
	return node && rule_advance(p) ? node : NULL;
}

static bool check_count(
	struct rule_parser *p, const struct rule_function *f, size_t count, const char *at)
{
	if (count >= f->min && count <= f->max)
		return true;
	if (f->min == f->max)
		return rule_lex_error(p->lexer, at, "%s() has %zu arguments, expected %zu", f->name,
			count, f->min);
	return rule_lex_error(p->lexer, at, "%s() has %zu arguments, expected %zu to %zu", f->name,
		count, f->min, f->max);
}

/* The first argument of search() and match(), which begins at at, is compiled. */
static bool take_pattern(struct rule_parser *p, struct rule_node *node, const char *at)
{
	struct rule_node *first = node->first;

	if (first->type != NODE_CONSTANT || first->constant.type != RULE_STR)
		return rule_lex_error(p->lexer, at,
			"the pattern of %s() must be a string such as r'\\d+', not calculated",
			node->function->name);
	return rule_pattern_compile(p->lexer, at, &first->constant);
}

/* The arguments, added to node. A method has its object there already. */
static struct rule_node *parse_arguments(struct rule_parser *p, struct rule_node *node,
	const struct rule_function *f, const char *at)
{
	size_t commas, objects = node->kid_count;
	const char *first;
	char expected[64];

	(void)snprintf(expected, sizeof(expected), "'(' behind '%s'", f->name); /* may be cut */
	if (!rule_expect(p, "(", expected))
		return NULL;
	node->function = f;
	first = p->token.start;
	node = parse_items(p, node, ")", &commas);
	if (!node || !check_count(p, f, node->kid_count - objects, at))
		return NULL;
	return f->of != 1 << RULE_PATTERN || take_pattern(p, node, first) ? node : NULL;
}

/* True, False, None, tags, or a function. */
static struct rule_node *parse_name(struct rule_parser *p)
{
	static const struct {
		const char *name;
		struct rule_value value;
	} constants[] = {
		{ "True", { .type = RULE_BOOL, .integer = 1 } },
		{ "False", { .type = RULE_BOOL, .integer = 0 } },
		{ "None", { .type = RULE_NONE } },
	};
	const struct rule_token name = p->token;
	const struct rule_function *f = rule_function_find(name.start, name.length);
	struct rule_node *node;

	if (rule_token_is(&name, "tags"))
		return parse_tags(p);
	for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++) {
		if (!rule_token_is(&name, constants[i].name))
			continue;
		node = rule_node_constant(p, constants[i].value);
		return node && rule_advance(p) ? node : NULL;
	}
	if (!f)
		return rule_unknown_name(p);
	node = rule_node_new(p, NODE_FUNCTION);
	return node && rule_advance(p) ? parse_arguments(p, node, f, name.start) : NULL;
}

static struct rule_node *parse_atom(struct rule_parser *p)
{
	const struct rule_str *old;
	struct rule_node *node;

	switch (p->token.type) {
	case TOKEN_CONSTANT:
		return parse_constant(p);
	case TOKEN_OLD_TAG:
		old = &p->token.value.str;
		node = parse_tag(p, old->data, old->length, p->token.start);
		return node && rule_advance(p) ? node : NULL;
	case TOKEN_NAME:
		if (!rule_token_is(&p->token, "and") && !rule_token_is(&p->token, "or") &&
			!rule_token_is(&p->token, "not") && !rule_token_is(&p->token, "in") &&
			!rule_token_is(&p->token, "is") && !rule_token_is(&p->token, "if") &&
			!rule_token_is(&p->token, "else"))
			return parse_name(p);
		break;
	default:
		if (rule_token_is(&p->token, "("))
			return parse_parentheses(p);
		if (rule_token_is(&p->token, "["))
			return parse_list(p);
		if (rule_token_is(&p->token, "{"))
			return parse_braces(p);
		break;
	}
	return rule_unexpected(p, RULE_VALUE_EXPECTED);
}

/* .NAME(arguments) */
static struct rule_node *parse_method(struct rule_parser *p, struct rule_node *object)
{
	const struct rule_function *method;
	struct rule_node *node = rule_node_add(p, rule_node_new(p, NODE_METHOD), object);
	struct rule_token name;

	if (!node || !rule_advance(p))
		return NULL;
	name = p->token;
	if (name.type != TOKEN_NAME)
		return rule_unexpected(p, "the name of a method");
	method = rule_method_find(name.start, name.length);
	if (!method) {
		(void)rule_lex_error(p->lexer, name.start,
			"unknown method '%.*s'; dcmspool-rules(5) lists those there are",
			name.length > 40 ? 40 : (int)name.length, name.start);
		return NULL;
	}
	return rule_advance(p) ? parse_arguments(p, node, method, name.start) : NULL;
}

/* One of the parts of a slice; None when it is left out. */
static struct rule_node *parse_bound(struct rule_parser *p)
{
	if (rule_token_is(&p->token, ":") || rule_token_is(&p->token, "]"))
		return rule_node_constant(p, (struct rule_value){ .type = RULE_NONE });
	return rule_parse_expression(p);
}

/* [index] or [start:stop:step] */
static struct rule_node *parse_subscript(struct rule_parser *p, struct rule_node *object)
{
	struct rule_node *node = rule_node_add(p, rule_node_new(p, NODE_INDEX), object);

	if (!node || !rule_advance(p))
		return NULL;
	if (rule_token_is(&p->token, "]"))
		return rule_unexpected(p, "an index");
	node = rule_node_add(p, node, parse_bound(p));
	while (node && node->kid_count < 4 && rule_token_is(&p->token, ":")) {
		node->type = NODE_SLICE;
		node = rule_advance(p) ? rule_node_add(p, node, parse_bound(p)) : NULL;
	}
	if (node && node->type == NODE_SLICE && node->kid_count == 3)
		node = rule_node_add(
			p, node, rule_node_constant(p, (struct rule_value){ .type = RULE_NONE }));
	return node && rule_expect(p, "]", "']'") ? node : NULL;
}

struct rule_node *rule_parse_primary(struct rule_parser *p)
{
	struct rule_node *node = parse_atom(p);

	while (node) {
		rule_node_end(p, node);
		if (rule_token_is(&p->token, "."))
			node = parse_method(p, node);
		else if (rule_token_is(&p->token, "["))
			node = parse_subscript(p, node);
		else
			break;
	}
	return node;
}
