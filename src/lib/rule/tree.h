/*
 * tree: what a rule is compiled into: tokens, and the tree of nodes.
 */
#ifndef RULE_TREE_H
#define RULE_TREE_H

#include "rule/run.h"

enum rule_token_type {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_CONSTANT, /* a number or a string */
	TOKEN_OLD_TAG,  /* @NAME@; the name is in value */
	TOKEN_OPERATOR,
};

struct rule_token {
	enum rule_token_type type;
	const char *start;
	size_t length;
	struct rule_value value;
};

struct rule_lexer {
	const char *text, *at, *end;
	struct rule_pool *pool;
	struct rule_error *error;
};

bool rule_lex_next(struct rule_lexer *lexer, struct rule_token *token);
/* Reports a mistake at a place in the text. Returns false. */
bool rule_lex_error(struct rule_lexer *lexer, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* No mistake of the text. Returns false. */
bool rule_lex_no_memory(struct rule_lexer *lexer, const char *at);

enum rule_node_type {
	NODE_CONSTANT,
	NODE_TAG,  /* constant is its name, NUL-terminated */
	NODE_LIST, /* kids are the items */
	NODE_TUPLE,
	NODE_SET,
	NODE_DICT, /* keys and values take turns */
	NODE_AND,  /* two kids or more */
	NODE_OR,
	NODE_NOT,
	NODE_COMPARE, /* a chain: each kid but the first says how it is compared with the one before
		       */
	NODE_NEGATE,
	NODE_PLUS,
	NODE_INVERT,
	NODE_ARITHMETIC,
	NODE_CONDITIONAL, /* condition, then, else */
	NODE_FUNCTION,    /* kids are the arguments */
	NODE_METHOD,      /* object, arguments */
	NODE_INDEX,       /* object, index */
	NODE_SLICE,       /* object, start, stop, step */
};

struct rule_node {
	enum rule_node_type type;
	enum rule_arithmetic arithmetic;
	enum rule_compare compare; /* with the kid before it, when it is part of a chain */
	unsigned depth;            /* of the tree below */
	const char *text;          /* as written, with its parentheses; in the rule's pool */
	size_t length;             /* 0: left out by the author, as in [:2] */
	size_t number;             /* index in a run's trace */
	size_t kid_count;
	struct rule_node *first, *last; /* kids */
	struct rule_node *next;         /* kid of the same parent */
	struct rule_value constant;
	const struct rule_function *function;
};

/* A list, tuple, set or dict that is written down. */
static inline bool rule_node_is_display(const struct rule_node *node)
{
	return node->type == NODE_LIST || node->type == NODE_TUPLE || node->type == NODE_SET ||
	       node->type == NODE_DICT;
}

struct rule {
	struct rule_pool pool;
	struct rule_node *root;
	size_t node_count;
};

/* NULL after an error. *count: the nodes. */
struct rule_node *rule_parse(
	struct rule_lexer *lexer, bool (*known)(const char *name), size_t *count);

/* The pattern in v, a literal at the token text, becomes a RULE_PATTERN in the lexer's pool. */
bool rule_pattern_compile(struct rule_lexer *lexer, const char *at, struct rule_value *v);

#endif
