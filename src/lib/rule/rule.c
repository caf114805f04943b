/*
 * rule: compiles a text into a tree that rule_evaluate() walks, see rule.h; and messages about
 * rules.
 *
 * Messages quote texts of rules and of patients, go into JSON and to terminals, and have little
 * room: whatever they quote, they are one line of UTF-8, and nothing in it is hidden.
 */
#include "rule/rule.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "rule/text.h"
#include "rule/tree.h"

static const char cut_mark[] = "...";

/* The bytes of the character at data (RFC 3629: no surrogates, the shortest form); 0 when there is
 * none. */
static size_t utf8_length(const char *data, size_t left)
{
	char shortest[4];
	size_t bytes;
	uint32_t code = rule_utf8_decode(data, left, &bytes);

	if (bytes == 1)
		return (unsigned char)*data < 0x80;
	return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) &&
			       rule_utf8_encode(code, shortest) == bytes
		       ? bytes
		       : 0;
}

const char *rule_not_utf8(const char *text, size_t length)
{
	size_t bytes;

	for (const char *end = text + length; text < end; text += bytes) {
		bytes = utf8_length(text, (size_t)(end - text));
		if (!bytes)
			return text;
	}
	return NULL;
}

/* One character, as it is to be shown. Returns its bytes in data, of which left follow. */
static size_t shown(const char *data, size_t left, char out[16])
{
	size_t bytes;
	uint32_t code = rule_utf8_decode(data, left, &bytes);

	if (bytes == 1 && code < ' ')
		(void)snprintf(out, 16, " "); /* one line */
	else if (bytes == 1 && code >= 0x80)
		(void)snprintf(out, 16, "\\x%02x", (unsigned)code);
	else if (rule_case_is_hidden(code) || !utf8_length(data, left))
		(void)snprintf(out, 16, code < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)code);
	else
		(void)snprintf(out, 16, "%.*s", (int)bytes, data);
	return bytes;
}

/* What is too long ends with cut_mark, behind a whole character. */
static void copy(char *out, size_t size, const char *text, size_t length)
{
	size_t n = 0, end = 0, bytes, more; /* end: where cut_mark would fit */
	char one[16];

	for (; length > 0; text += bytes, length -= bytes) {
		bytes = shown(text, length, one);
		more = strlen(one);
		if (n + more >= size)
			break;
		memcpy(out + n, one, more);
		n += more;
		if (n + sizeof(cut_mark) <= size)
			end = n;
	}
	if (length > 0 && size >= sizeof(cut_mark)) {
		memcpy(out + end, cut_mark, sizeof(cut_mark) - 1);
		n = end + sizeof(cut_mark) - 1;
	}
	out[n] = '\0';
}

void rule_message_list(char *out, size_t size, const char *format, va_list arguments)
{
	char text[2 * RULE_WHY] =
		""; /* more than is shown, so that where it is cut does not matter */

	if (size > RULE_WHY)
		size = RULE_WHY;
	if (size == 0)
		return;
	(void)vsnprintf(text, sizeof(text), format, arguments); /* may be cut */
	copy(out, size, text, strlen(text));
}

void rule_message(char *out, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	rule_message_list(out, size, format, arguments);
	va_end(arguments);
}

void rule_show(
	struct buf *out, const char *text, const struct rule_error *error, const char *margin)
{
	const char *line = text;
	size_t length, bytes, columns = 0;
	char one[16];

	for (int i = 1; i < error->line && line[strcspn(line, "\n")]; i++)
		line += strcspn(line, "\n") + 1;
	length = strcspn(line, "\n");
	buf_puts(out, margin);
	for (size_t at = 0; at < length; at += bytes) {
		bytes = shown(line + at, length - at, one);
		/* A character is a column: of what is escaped elsewhere only the place counts here.
		 */
		buf_puts(out, *one == '\\' && line[at] != '\\' ? "?" : one);
	}
	buf_printf(out, "\n%s", margin);
	for (columns = 1; columns < (size_t)error->column; columns++)
		buf_puts(out, " ");
	buf_puts(out, "^");
}

/* ---- compiling ---- */

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
	if (!rule) {
		(void)rule_lex_no_memory(&lexer, text);
		return NULL;
	}
	if (wrong) {
		(void)rule_lex_error(&lexer, wrong, "this is not UTF-8; save the text as UTF-8");
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
		(void)rule_lex_no_memory(&lexer, text);
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

static bool names(const struct rule_node *node, const char *tag)
{
	if (node->type == NODE_TAG && strcasecmp(node->constant.str.data, tag) == 0)
		return true;
	for (const struct rule_node *kid = node->first; kid; kid = kid->next)
		if (names(kid, tag))
			return true;
	return false;
}

bool rule_names(const struct rule *rule, const char *tag)
{
	return names(rule->root, tag);
}
