/*
 * normal: the text of a rule without what means nothing: blanks, comments, the kind of quotes,
 * how a tag is written.
 */
#include "rule/never.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "rule/tree.h"

/* Where a token stands: behind "tags", in "tags.NAME", in tags["NAME"], before its "]". */
enum place { ANYWHERE, BEHIND_TAGS, AT_NAME, AT_QUOTED, AT_END };

static bool is_operator(const struct rule_token *token, char c)
{
	return token->type == TOKEN_OPERATOR && token->length == 1 && *token->start == c;
}

static enum place next_place(enum place place, const struct rule_token *token)
{
	if (place == BEHIND_TAGS)
		return is_operator(token, '.')   ? AT_NAME
		       : is_operator(token, '[') ? AT_QUOTED
						 : ANYWHERE;
	if (place == AT_QUOTED)
		return AT_END;
	if (place == ANYWHERE && token->type == TOKEN_NAME && token->length == 4 &&
		memcmp(token->start, "tags", 4) == 0)
		return BEHIND_TAGS;
	return ANYWHERE;
}

static void add_tag(struct buf *out, const char *name, size_t length)
{
	buf_puts(out, "tags.");
	for (size_t i = 0; i < length; i++)
		buf_printf(out, "%c", tolower((unsigned char)name[i]));
}

/* As Python writes it. */
static void add_constant(struct buf *out, const struct rule_value *value)
{
	bool cut;
	char *text = rule_repr_cut(value, RULE_COMPILE_BYTES, &cut);

	if (text)
		buf_puts(out, text);
	else
		out->failed = true;
	free(text);
}

static void add_token(struct buf *out, enum place place, const struct rule_token *token)
{
	if (place == AT_NAME)
		add_tag(out, token->start, token->length);
	else if (place == AT_QUOTED || token->type == TOKEN_OLD_TAG)
		add_tag(out, token->value.str.data, token->value.str.length);
	else if (token->type == TOKEN_CONSTANT)
		add_constant(out, &token->value);
	else
		buf_add(out, token->start, token->length);
	buf_puts(out, "\n"); /* is in no token */
}

char *rule_normal(const char *text)
{
	struct rule_pool pool = { .left = RULE_COMPILE_BYTES };
	struct rule_error unused;
	struct rule_lexer lexer = { .text = text,
		.at = text,
		.end = text + strlen(text),
		.pool = &pool,
		.error = &unused };
	enum place place = ANYWHERE, next;
	struct rule_token token;
	struct buf out = { 0 };

	buf_puts(&out, "");
	while (rule_lex_next(&lexer, &token) && token.type != TOKEN_END) {
		next = next_place(place, &token);
		if (next == ANYWHERE ? place != AT_END : next == AT_END)
			add_token(&out, place, &token);
		place = next;
	}
	rule_pool_free(&pool);
	if (out.failed)
		buf_free(&out);
	return out.data;
}
