/*
 * value: from the text of a value to what it means, by the kind that the table gives it.
 *
 * Each kind has one function that parses one item into its place, or says what would be right. All
 * values are strings for libconfuse, so that numbers are decimal (its integers read 010 as 8) and
 * each mistake is told in the words of the key.
 */
#define _GNU_SOURCE
#include "conf/work.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void *conf_field(const struct conf_key *key, void *base)
{
	return (char *)base + key->offset;
}

size_t *conf_field_count(const struct conf_key *key, void *base)
{
	return (size_t *)(void *)((char *)base + key->count_offset); /* aligned: offsetof made it */
}

void conf_set_string(const struct conf_item *i, const char *text, size_t length)
{
	char **at = conf_field(i->key, i->base);

	free(*at);
	*at = conf_copy(i->work, text, length);
}

void conf_append_string(const struct conf_item *i, const char *text, size_t length)
{
	char ***list = conf_field(i->key, i->base);
	size_t *count = conf_field_count(i->key, i->base);
	char **grown = reallocarray(*list, *count + 1, sizeof(*grown));

	if (!grown) {
		i->work->no_memory = true;
		return;
	}
	*list = grown;
	grown[(*count)++] = conf_copy(i->work, text, length);
}

bool conf_repeated(const struct conf_item *i)
{
	char ***list = conf_field(i->key, i->base);

	for (size_t k = 0; k < *conf_field_count(i->key, i->base); k++) {
		if ((*list)[k] && strcmp((*list)[k], i->text) == 0) {
			CONF_WRONG(i, "\"%s\" is in the list twice; remove one", i->text);
			return true;
		}
	}
	return false;
}

static bool number(const struct conf_item *i, long *out)
{
	const struct conf_key *k = i->key;

	if (i->text[0] == '0' && i->text[1]) {
		CONF_WRONG(
			i, "\"%s\" begins with 0; write it without (numbers are decimal)", i->text);
		return false;
	}
	if (parse_long(i->text, k->min, k->max, out) == 0)
		return true;
	if (errno == ERANGE)
		CONF_WRONG(i, "%s is out of range; %ld to %ld", i->text, k->min, k->max);
	else
		CONF_WRONG(i, "\"%s\" is not a number; %ld to %ld", i->text, k->min, k->max);
	return false;
}

static void parse_number(const struct conf_item *i)
{
	long value;

	if (number(i, &value))
		*(long *)conf_field(i->key, i->base) = value;
}

static void parse_numbers(const struct conf_item *i)
{
	long **list = conf_field(i->key, i->base), *grown, value;
	size_t *count = conf_field_count(i->key, i->base);

	if (!number(i, &value))
		return;
	for (size_t k = 0; k < *count; k++) {
		if ((*list)[k] == value) {
			CONF_WRONG(i, "%ld is in the list twice; remove one", value);
			return;
		}
	}
	grown = reallocarray(*list, *count + 1, sizeof(*grown));
	if (!grown) {
		i->work->no_memory = true;
		return;
	}
	*list = grown;
	grown[(*count)++] = value;
}

static const struct unit {
	const char *name;
	long ms;
} units[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };
enum { UNITS = sizeof(units) / sizeof(units[0]) };

/* Milliseconds in the field's unit. */
static long scale_of(const struct conf_key *key)
{
	return key->kind == CONF_MS ? 1 : 1000;
}

void conf_print_duration(struct buf *out, const struct conf_key *key, long value)
{
	long scale = scale_of(key);
	const struct unit *u = units;

	if (value == 0) {
		buf_puts(out, "0s");
		return;
	}
	while (u->ms > scale && value % (u->ms / scale))
		u++;
	buf_printf(out, "%ld%s", value / (u->ms / scale), u->name);
}

static void parse_duration(const struct conf_item *i)
{
	const struct conf_key *k = i->key;
	size_t digits = strspn(i->text, "0123456789");
	struct buf range = { 0 };
	char text[32];
	long value, scale = scale_of(k);
	const struct unit *u = units;

	if (digits && !i->text[digits]) {
		CONF_WRONG(i, "%s has no unit; write for example %ss or %sm (ms, s, m, h, d)",
			i->text, i->text, i->text);
		return;
	}
	while (u < units + UNITS && strcmp(u->name, i->text + digits) != 0)
		u++;
	if (!digits || digits >= sizeof(text) || u == units + UNITS) {
		CONF_WRONG(i,
			"\"%s\" is not a duration; a number and one unit, for example 500ms, 60s, "
			"15m, "
			"2h, 3d",
			i->text);
		return;
	}
	memcpy(text, i->text, digits);
	text[digits] = '\0';
	if (parse_long(text, 0, LONG_MAX / u->ms, &value) == 0 && value * u->ms % scale) {
		CONF_WRONG(i, "%s is not a whole number of seconds; for example 1s", i->text);
		return;
	}
	if (parse_long(text, 0, LONG_MAX / u->ms, &value) == 0 && value * u->ms / scale >= k->min &&
		value * u->ms / scale <= k->max) {
		*(long *)conf_field(k, i->base) = value * u->ms / scale;
		return;
	}
	conf_print_duration(&range, k, k->min);
	buf_puts(&range, " to ");
	conf_print_duration(&range, k, k->max);
	CONF_WRONG(i, "%s is out of range; %s", i->text,
		range.failed ? "see dcmspool.conf(5)" : range.data);
	buf_free(&range);
}

/* Bytes; k, M and G are thousands, millions and thousand millions of them. */
static void parse_bytes(const struct conf_item *i)
{
	static const char letters[] = "kMG";
	const struct conf_key *k = i->key;
	size_t digits = strspn(i->text, "0123456789");
	const char *letter = i->text[digits] ? strchr(letters, i->text[digits]) : NULL;
	char text[32];
	long value, scale = 1;

	for (const char *l = letters; letter && l <= letter; l++)
		scale *= 1000;
	if (!digits || digits >= sizeof(text) || (i->text[digits] && !letter) ||
		(letter && i->text[digits + 1])) {
		CONF_WRONG(i, "\"%s\" is not a size; a number of bytes, for example 500k, 10M, 2G",
			i->text);
		return;
	}
	memcpy(text, i->text, digits);
	text[digits] = '\0';
	if (parse_long(text, 0, LONG_MAX / scale, &value) == 0 && value * scale >= k->min &&
		value * scale <= k->max)
		*(long *)conf_field(k, i->base) = value * scale;
	else
		CONF_WRONG(i, "%s is out of range; %ld to %ld bytes", i->text, k->min, k->max);
}

/* The position of text in the key's choices, or -1, reported. */
static int choice(const struct conf_item *i)
{
	const char *p = i->key->choices;
	size_t n = strlen(i->text);

	for (int position = 0;; position++) {
		size_t length = strcspn(p, "|");

		if (length == n && strncmp(p, i->text, n) == 0)
			return position;
		p += length;
		if (!*p++)
			break;
	}
	CONF_WRONG(i, "\"%s\" is not possible; one of %s", i->text, i->key->choices);
	return -1;
}

static void parse_choice(const struct conf_item *i)
{
	int position = choice(i);

	if (position >= 0)
		*(int *)conf_field(i->key, i->base) = position;
}

static void parse_bool(const struct conf_item *i)
{
	int position = choice(i);

	if (position >= 0)
		*(bool *)conf_field(i->key, i->base) = position % 2;
}

static void (*const parsers[])(const struct conf_item *item) = {
	[CONF_STRING] = conf_parse_string,
	[CONF_PATH] = conf_parse_path,
	[CONF_FILE] = conf_parse_path,
	[CONF_SECRET] = conf_parse_path,
	[CONF_HOST] = conf_parse_host,
	[CONF_LAYOUT] = conf_parse_layout,
	[CONF_LAYOUT_UNIQUE] = conf_parse_layout,
	[CONF_LAYOUT_DIRECTORIES] = conf_parse_layout,
	[CONF_MARKER] = conf_parse_marker,
	[CONF_URL] = conf_parse_url,
	[CONF_HOURS] = conf_parse_hours,
	[CONF_AET] = conf_parse_aet,
	[CONF_NUMBER] = parse_number,
	[CONF_MS] = parse_duration,
	[CONF_SECONDS] = parse_duration,
	[CONF_BYTES] = parse_bytes,
	[CONF_BOOL] = parse_bool,
	[CONF_CHOICE] = parse_choice,
	[CONF_NUMBERS] = parse_numbers,
	[CONF_NAMES] = conf_parse_names,
	[CONF_AETS] = conf_parse_aets,
	[CONF_ADDRESSES] = conf_parse_address,
	[CONF_PREFIXES] = conf_parse_prefix,
	[CONF_SETTINGS] = conf_parse_setting,
};

void conf_value_parse(struct conf_work *work, struct conf_place place, const char *path,
	const struct conf_key *key, char *const value[], size_t count, void *base)
{
	struct conf_item item = { work, place, path, key, NULL, base };

	if (conf_kind_list(key->kind))
		conf_value_free(
			key, base); /* the list replaces the default, or an earlier file's */
	for (size_t i = 0; i < count; i++) {
		item.text = value[i];
		parsers[key->kind](&item);
	}
}

void conf_value_initial(struct conf_work *work, const struct conf_key *key, void *base)
{
	const char *p = key->initial;
	char *text;

	if (key->kind == CONF_STRING && p && !*p) {
		*(char **)conf_field(key, base) = conf_copy(work, "", 0);
		return;
	}
	while (p && *p) {
		struct conf_item item = { work, { 0, 0 }, key->name, key, NULL, base };
		size_t length = conf_kind_list(key->kind) ? strcspn(p, "|") : strlen(p);

		text = conf_copy(work, p, length);
		if (!text)
			return;
		item.text = text;
		parsers[key->kind](&item);
		free(text);
		p += length + (p[length] == '|');
	}
}
