/*
 * rule: compiles a text into a tree that rule_evaluate() walks. See rule.h.
 */
#include "rule_internal.h"

#include <stdlib.h>
#include <string.h>

struct rule *rule_compile(
	const char *text, bool (*known)(const char *name), struct rule_error *error)
{
	size_t length = strlen(text);
	struct rule *rule = calloc(1, sizeof(*rule));
	struct rule_lexer lexer = { .text = text, .at = text, .error = error };

	if (!rule) {
		(void)rule_lex_error(&lexer, text, "out of memory");
		return NULL;
	}
	rule->pool.left = RULE_COMPILE_BYTES;
	lexer.pool = &rule->pool;
	lexer.end = text + length;
	if (length > RULE_MAX_TEXT)
		(void)rule_lex_error(&lexer, text,
			"the rule has %zu bytes; at most %d are possible", length,
			(int)RULE_MAX_TEXT);
	else
		rule->root = rule_parse(&lexer, known);
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
