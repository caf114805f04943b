/*
 * fuzz_rule: libFuzzer's entry into the rule language, compiler and evaluator.
 *
 * Each input is the text of a rule; behind a NUL, one value for all tags. Whatever compiles must
 * end in a value or in a reason, twice in the same one, and be explained with the same one; and
 * what is said never to be true must not be.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/explain.h"
#include "rule/never.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool known(const char *name)
{
	return *name != 'x';
}

static const char *tag(const void *context, const char *name)
{
	return strlen(name) % 2 ? context : "1.5";
}

static void evaluate(const struct rule *rule, const char *value)
{
	char why[RULE_WHY] = "", again[RULE_WHY] = "", *text = NULL;
	enum rule_result result = rule_evaluate_text(rule, tag, value, &text, why, sizeof(why));

	if (result == RULE_FAILED ? text || !*why : !text)
		abort();
	/* Writing the value down can fail when finding it did not. */
	if (rule_evaluate(rule, tag, value, again, sizeof(again)) != result &&
		result != RULE_FAILED)
		abort();
	if (rule_not_utf8(why, strlen(why)))
		abort();
	if (rule_never(rule, why, sizeof(why)) && (result == RULE_TRUE || !*why))
		abort();
	free(text);
}

static void explain(const struct rule *rule, const char *value)
{
	char why[RULE_WHY] = "";
	struct rule_explanation e;

	if (rule_explain(rule, tag, value, &e) < 0)
		abort();
	if (e.result != rule_evaluate(rule, tag, value, why, sizeof(why)) || strcmp(e.why, why) ||
		e.count < 1 || e.count > 400 || e.part[0].depth != 0)
		abort();
	for (size_t i = 0; i < e.count; i++) {
		const struct rule_part *part = &e.part[i];

		if (part->state == RULE_PART_MORE ? part->count == 0
						  : !*part->text || strlen(part->text) > 1100)
			abort();
		if ((part->state == RULE_PART_VALUE) != (part->value != NULL) ||
			(part->value && strlen(part->value) > 350))
			abort();
		if (i && (part->depth == 0 || part->depth > part[-1].depth + 1))
			abort();
		if (e.result != RULE_FAILED && part->state == RULE_PART_FAILED)
			abort();
	}
	rule_explanation_free(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rule_error error = { 0 };
	struct rule *rule;
	char *text = malloc(size + 2);
	size_t length;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = text[size + 1] = '\0';
	length = strlen(text);
	free(rule_normal(text));
	rule = rule_compile(text, known, &error);
	if (rule) {
		evaluate(rule, length < size ? text + length + 1 : text);
		explain(rule, length < size ? text + length + 1 : text);
		if (rule_not_utf8(text, length))
			abort();
	} else if (!*error.message || rule_not_utf8(error.message, strlen(error.message)) ||
		   error.line < 1 || error.column < 1) {
		abort();
	}
	rule_free(rule);
	free(text);
	return 0;
}
