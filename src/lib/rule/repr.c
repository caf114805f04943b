/*
 * repr: Python's str() and repr().
 *
 * One difference: Python escapes characters as well that Unicode has not assigned yet.
 */
#include "rule/internal.h"

#include "base/str.h"

#include <inttypes.h>
#include <string.h>

static void add_escaped(struct buf *b, uint32_t code, const char *data, size_t bytes, char quote)
{
	static const char plain[] = "\n\r\t\\", letters[] = "nrt\\";
	const char *found = code && code < 0x80 ? strchr(plain, (int)code) : NULL;

	if (found)
		buf_printf(b, "\\%c", letters[found - plain]);
	else if (code == (unsigned char)quote)
		buf_printf(b, "\\%c", quote);
	else if ((bytes == 1 && code >= 0x80) || rule_case_is_hidden(code))
		buf_printf(b,
			code < 0x100     ? "\\x%02x"
			: code < 0x10000 ? "\\u%04x"
					 : "\\U%08x",
			(unsigned)code);
	else
		buf_add(b, data, bytes);
}

static void add_quoted(struct buf *b, struct rule_str s, size_t most)
{
	const char quote =
		s.length && memchr(s.data, '\'', s.length) && !memchr(s.data, '"', s.length) ? '"'
											     : '\'';
	size_t bytes;
	uint32_t code;

	buf_add(b, &quote, 1);
	for (size_t at = 0; at < s.length && b->length <= most; at += bytes) {
		code = rule_utf8_decode(s.data + at, s.length - at, &bytes);
		add_escaped(b, code, s.data + at, bytes, quote);
	}
	buf_add(b, &quote, 1);
}

static bool add_repr(struct rule_run *run, struct buf *b, const struct rule_value *v, size_t most);

static bool add_items(struct rule_run *run, struct buf *b, const struct rule_value *v, size_t most)
{
	bool list = v->type == RULE_LIST;

	buf_puts(b, list ? "[" : "(");
	for (size_t i = 0; i < v->items.count; i++) {
		if (i)
			buf_puts(b, ", ");
		if (!add_repr(run, b, &v->items.item[i], most))
			return false;
	}
	if (!list && v->items.count == 1)
		buf_puts(b, ",");
	buf_puts(b, list ? "]" : ")");
	return true;
}

/* Stops, and raises, when there are more than most bytes. */
static bool add_repr(struct rule_run *run, struct buf *b, const struct rule_value *v, size_t most)
{
	char text[RULE_FLOAT_TEXT];

	if (!rule_charge(run, 1))
		return false;
	switch (v->type) {
	case RULE_NONE:
		buf_puts(b, "None");
		break;
	case RULE_BOOL:
		buf_puts(b, v->integer ? "True" : "False");
		break;
	case RULE_INT:
		buf_printf(b, "%" PRId64, v->integer);
		break;
	case RULE_FLOAT:
		rule_float_text(v->real, text);
		buf_puts(b, text);
		break;
	case RULE_STR:
		add_quoted(b, v->str, most);
		break;
	case RULE_PATTERN:
		add_quoted(b, rule_pattern_text(v->pattern), most);
		break;
	default:
		if (!add_items(run, b, v, most))
			return false;
	}
	if (b->length > most || b->failed)
		return rule_raise(run, "MemoryError: str() of a value that is too large");
	return true;
}

bool rule_to_str(struct rule_run *run, const struct rule_value *v, struct rule_value *out)
{
	*out = *v;
	return v->type == RULE_STR || rule_to_repr(run, v, out);
}

bool rule_to_repr(struct rule_run *run, const struct rule_value *v, struct rule_value *out)
{
	struct buf b = { 0 };
	char *copy = NULL;

	if (add_repr(run, &b, v, RULE_RUN_BYTES))
		copy = rule_alloc(run, b.length + 1);
	if (copy) {
		memcpy(copy, b.data, b.length);
		*out = rule_str(copy, b.length);
	}
	buf_free(&b);
	return copy != NULL;
}

char *rule_repr_cut(const struct rule_value *v, size_t most, bool *cut)
{
	struct rule_run run = { .steps = RULE_RUN_STEPS }; /* its reason goes nowhere */
	struct buf b = { 0 };

	*cut = !add_repr(&run, &b, v, most);
	if (!b.failed)
		return b.data;
	buf_free(&b);
	return NULL;
}
