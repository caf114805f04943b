/*
 * rule: compiles a text into a tree that rule_evaluate() walks. See rule.h.
 */
#include "rule/internal.h"

#include <stdlib.h>
#include <string.h>

struct rule *rule_compile(
	const char *text, bool (*known)(const char *name), struct rule_error *error)
{
	size_t length = strlen(text);
	struct rule *rule = calloc(1, sizeof(*rule));
	struct rule_lexer lexer = { .text = text, .at = text, .error = error };
	const char *wrong = rule_not_utf8(text, length);
	char *copy;

	*error = (struct rule_error){ 0 };
	lexer.end = text + length;
	if (!rule || wrong) {
		(void)rule_lex_error(&lexer, wrong ? wrong : text,
			wrong ? "this is not UTF-8; save the text as UTF-8" : "out of memory");
		free(rule);
		return NULL;
	}
	rule->pool.left = RULE_COMPILE_BYTES;
	lexer.pool = &rule->pool;
	copy = length <= RULE_MAX_TEXT ? rule_pool_alloc(&rule->pool, length + 1) : NULL;
	if (copy) {
		/* The nodes point into it. */
		memcpy(copy, text, length + 1);
		lexer.text = lexer.at = copy;
		lexer.end = copy + length;
		rule->root = rule_parse(&lexer, known, &rule->node_count);
	} else if (length > RULE_MAX_TEXT) {
		(void)rule_lex_error(&lexer, text,
			"the rule has %zu bytes; at most %d are possible", length,
			(int)RULE_MAX_TEXT);
	} else {
		(void)rule_lex_error(&lexer, text, "out of memory");
	}
	if (!rule->root) {
		rule_free(rule);
		return NULL;
	}
	return rule;
}

void rule_free(struct rule *rule)
{
	if (!rule)
		return;
	rule_pool_free(&rule->pool);
	free(rule);
}
