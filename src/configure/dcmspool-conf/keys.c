/*
 * keys: the tables of the configuration as text, for dcmspool-conf -k. dcmspool.conf(5) has the
 * same words for each key, and a test compares them.
 */
#include "keys.h"

#include <string.h>

#include "conf/table.h"

static const char *const kinds[] = {
	[CONF_STRING] = "text",
	[CONF_PATH] = "path",
	[CONF_FILE] = "path",
	[CONF_SECRET] = "path",
	[CONF_HOST] = "host name or address",
	[CONF_LAYOUT] = "path with {Keyword} in it",
	[CONF_LAYOUT_UNIQUE] = "path with {Keyword} in it",
	[CONF_LAYOUT_DIRECTORIES] = "path with {Keyword} in it",
	[CONF_MARKER] = "file name",
	[CONF_URL] = "URL",
	[CONF_HOURS] = "hours",
	[CONF_AET] = "AE title",
	[CONF_NUMBER] = "number",
	[CONF_MS] = "duration",
	[CONF_SECONDS] = "duration in whole seconds",
	[CONF_BYTES] = "size",
	[CONF_BOOL] = "one of",
	[CONF_CHOICE] = "one of",
	[CONF_NUMBERS] = "list of numbers",
	[CONF_NAMES] = "list of names",
	[CONF_AETS] = "list of AE titles",
	[CONF_ADDRESSES] = "list of addresses",
	[CONF_PREFIXES] = "list of addresses and prefixes",
	[CONF_SETTINGS] = "list of name=value",
};

/* Items separated by '|', here by separator. */
static void put_items(struct buf *out, const char *items, const char *separator)
{
	while (*items) {
		size_t n = strcspn(items, "|");

		buf_add(out, items, n);
		items += n + (items[n] == '|');
		if (*items)
			buf_puts(out, separator);
	}
}

static void put_range(struct buf *out, const struct conf_key *key)
{
	buf_puts(out, ", ");
	if (key->kind == CONF_NUMBER || key->kind == CONF_NUMBERS || key->kind == CONF_BYTES) {
		buf_printf(out, "%ld to %ld", key->min, key->max);
		return;
	}
	conf_print_duration(out, key, key->min);
	buf_puts(out, " to ");
	conf_print_duration(out, key, key->max);
}

void keys_print(struct buf *out)
{
	const struct conf_key *k;

	for (size_t i = 0; (k = conf_key_at(i)); i++) {
		const struct conf_type *type = conf_key_type(k);

		buf_printf(out, "%s%s%s%s: %s", conf_section_names[k->section],
			conf_section_titled(k->section) ? ".NAME" : "",
			k->section == CONF_TOP ? "" : ".", k->name, kinds[k->kind]);
		if (k->choices) {
			buf_puts(out, " ");
			put_items(out, k->choices, ", ");
		}
		if (k->max)
			put_range(out, k);
		buf_puts(out, k->initial ? "; default: " : "; required");
		if (k->initial)
			put_items(out, *k->initial ? k->initial : "none", ", ");
		if (type)
			buf_printf(out, "; type %s", type->name ? type->name : "others");
		buf_puts(out, "\n");
	}
}
