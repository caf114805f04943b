/*
 * print: values back in the configuration's own syntax, or one a line for scripts; and
 * freeing.
 */
#include "conf/work.h"

#include <stdlib.h>
#include <string.h>

/* What libconfuse 3.3 reads back as text (src/lexer.l, dq_str): a variable must not come to be. */
void conf_quote(struct buf *out, const char *text)
{
	buf_puts(out, "\"");
	for (const char *p = text; *p; p++) {
		if (strchr("\\\"$", *p))
			buf_puts(out, "\\");
		if ((unsigned char)*p < 0x20)
			buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*p);
		else
			buf_add(out, p, 1);
	}
	buf_puts(out, "\"");
}

/* The position-th of the choices. */
static void print_choice(struct buf *out, const struct conf_key *key, int position)
{
	const char *p = key->choices;

	for (; position > 0; position--)
		p += strcspn(p, "|") + 1;
	buf_add(out, p, strcspn(p, "|"));
}

static void print_text(struct buf *out, const char *text, bool quoted)
{
	if (quoted)
		conf_quote(out, text ? text : "");
	else
		buf_puts(out, text ? text : "");
}

/* One item of a list, or the only one. step is 2 for settings. */
static void print_item(
	struct buf *out, const struct conf_key *key, const void *at, size_t i, bool quoted)
{
	char *const *strings = at;
	struct buf pair = { 0 };

	switch (key->kind) {
	case CONF_NUMBER:
	case CONF_NUMBERS:
	case CONF_BYTES:
		buf_printf(out, "%ld", ((const long *)at)[i]);
		break;
	case CONF_MS:
	case CONF_SECONDS:
		conf_print_duration(out, key, *(const long *)at);
		break;
	case CONF_BOOL:
		print_choice(out, key, *(const bool *)at);
		break;
	case CONF_CHOICE:
		print_choice(out, key, *(const int *)at);
		break;
	case CONF_PREFIXES:
		print_text(&pair, "", false);
		conf_print_prefix(&pair, (const struct conf_prefix *)at + i);
		print_text(out, pair.data, quoted);
		break;
	case CONF_SETTINGS:
		buf_printf(&pair, "%s=%s", strings[2 * i], strings[2 * i + 1]);
		print_text(out, pair.data, quoted);
		break;
	default:
		print_text(out, strings[i], quoted);
	}
	buf_free(&pair);
}

/* The items of a list, or the one value, and how many. */
static const void *items(const struct conf_key *key, const void *base, size_t *count)
{
	const void *at = (const char *)base + key->offset, *list;

	*count = 1;
	if (!conf_kind_list(key->kind))
		return at;
	memcpy(count, (const char *)base + key->count_offset, sizeof(*count));
	if (key->kind == CONF_SETTINGS)
		*count /= 2;
	memcpy(&list, at, sizeof(list)); /* whatever its items are */
	return list;
}

void conf_value_print(struct buf *out, const struct conf_key *key, const void *base)
{
	size_t count;
	const void *at = items(key, base, &count);
	bool list = conf_kind_list(key->kind);

	if (list)
		buf_puts(out, count ? "{ " : "{ }");
	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_puts(out, ", ");
		print_item(out, key, at, i, true);
	}
	if (list && count)
		buf_puts(out, " }");
}

void conf_value_lines(struct buf *out, const struct conf_key *key, const void *base)
{
	size_t count;
	const void *at = items(key, base, &count);

	for (size_t i = 0; i < count; i++) {
		print_item(out, key, at, i, false);
		buf_puts(out, "\n");
	}
}

void conf_value_free(const struct conf_key *key, void *base)
{
	void *at, *list;
	size_t *count;
	char **strings;

	at = conf_field(key, base);
	if (key->kind <= CONF_AET) {
		strings = at;
		free(*strings);
		*strings = NULL;
		return;
	}
	if (!conf_kind_list(key->kind))
		return;
	count = conf_field_count(key, base);
	memcpy(&list, at, sizeof(list));
	strings = list;
	for (size_t i = 0; i < *count && key->kind != CONF_NUMBERS && key->kind != CONF_PREFIXES;
		i++)
		free(strings[i]);
	free(list);
	list = NULL;
	memcpy(at, &list, sizeof(list));
	*count = 0;
}
