/*
 * part: an object of mercure.json on its way into a section. See import.h.
 */
#include "import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"

void *need(void *memory)
{
	if (!memory)
		die(EXIT_TEMPORARY,
			"unable to convert the configuration: out of memory; try again");
	return memory;
}

void part_open(struct part *part, struct import *import, const char *group, const char *old,
	json_t *object)
{
	*part = (struct part){ import, group, old, object, NULL, CONF_TOP, NULL, { 0 }, true };
	part->left = need(object ? json_copy(object) : json_object());
}

/* Nothing that could be missed: unset, or off. */
static bool is_empty(const json_t *value)
{
	const char *text = json_string_value(value);

	return json_is_null(value) || json_is_false(value) || (text && !*text) ||
	       (json_is_object(value) && !json_object_size(value)) ||
	       (json_is_array(value) && !json_array_size(value));
}

void part_close(struct part *part)
{
	const char *key;
	json_t *value;

	json_object_foreach (part->left, key, value) {
		if (!is_empty(value))
			note(part, key, "no counterpart");
	}
	json_decref(part->left);
	buf_free(&part->text);
}

/* One line, whatever names and texts are in it. */
static void put_plain(struct buf *out, const char *text)
{
	for (const char *p = text; *p; p++)
		buf_add(out,
			strchr("\t\r\n", *p)                     ? " "
			: (unsigned char)*p < 0x20 || *p == 0x7f ? "?"
								 : p,
			1);
}

static void note_list(const struct part *part, const char *key, const char *format, va_list args)
{
	struct buf line = { 0 };
	char text[1024];

	(void)vsnprintf(text, sizeof(text), format, args); /* a longer one is cut */
	put_plain(&line, part->import->file);
	buf_puts(&line, ": ");
	if (part->group)
		buf_printf(&line, "%s%s", part->group, part->old ? "." : "");
	if (part->old)
		put_plain(&line, part->old);
	if (key)
		buf_puts(&line, part->group ? "." : "");
	if (key)
		put_plain(&line, key);
	buf_puts(&line, part->group || key ? ": " : "");
	put_plain(&line, text);
	if (line.failed)
		need(NULL);
	(void)fprintf(stderr, "%s\n", line.data); /* nowhere else to go */
	buf_free(&line);
}

void note(const struct part *part, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note_list(part, key, format, args);
	va_end(args);
}

void refuse(struct part *part, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note_list(part, key, format, args);
	va_end(args);
	part->usable = false;
}

const char *take(struct part *part, const char *key)
{
	json_t *value = json_object_get(part->object, key);
	char number[64];

	if (json_is_object(value) || json_is_array(value))
		return "";                      /* it stays, to be told */
	(void)json_object_del(part->left, key); /* fails when it is not there */
	if (json_is_number(value)) {
		(void)snprintf(
			number, sizeof(number), "%.15g", json_number_value(value)); /* fits */
		if (json_object_set_new(part->object, key, json_string(number)) < 0)
			need(NULL);
		value = json_object_get(part->object, key);
	}
	if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	return json_is_string(value) ? json_string_value(value) : "";
}

bool take_bool(struct part *part, const char *key)
{
	static const char *const yes[] = { "true", "yes", "on", "1", "t", "y" };
	const char *text = take(part, key);

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (strcasecmp(text, yes[i]) == 0)
			return true;
	return false;
}

void drop(struct part *part, const char *key, const char *why)
{
	const json_t *value = json_object_get(part->left, key);

	if (value && !is_empty(value))
		note(part, key, "%s", why);
	(void)json_object_del(part->left, key); /* fails when it is not there */
}

bool take_secret(struct part *part, const char *key)
{
	const json_t *value = json_object_get(part->object, key);
	bool given = value && !is_empty(value);

	(void)json_object_del(part->left, key); /* fails when it is not there */
	return given;
}

static const struct conf_key *key_of(const struct part *part, const char *name)
{
	const struct conf_key *key = conf_key_find(part->section, name, NULL);

	while (key && part->type && !conf_key_applies(key, part->type))
		key = conf_key_find(part->section, name, key);
	if (!key)
		die(EXIT_BUG, "unable to write %s: the configuration has no such key", name);
	return key;
}

/* The structure that a key's offset counts in, whichever section it is of. */
union field {
	struct conf conf;
	struct conf_receiver receiver;
	struct conf_router router;
	struct conf_cleaner cleaner;
	struct conf_target target;
	struct conf_rule rule;
};

static bool accepted(const struct conf_key *key, const char *text)
{
	char root[] = "/", nameless[] = "";
	struct conf_source source = { .name = nameless };
	struct conf_work work = { .source = &source, .source_count = 1, .directory = root };
	union field field;
	char *copy = need(strdup(text)), *value[] = { copy };
	bool right;

	memset(&field, 0, sizeof(field));
	conf_value_parse(&work, (struct conf_place){ 0, 0 }, "", key, value, 1, &field);
	conf_value_free(key, &field);
	right = !work.mistake_count;
	if (work.no_memory)
		need(NULL);
	conf_work_forget(&work);
	free(work.mistake);
	free(copy);
	return right;
}

bool put(struct part *part, const char *name, const char *text)
{
	const struct conf_key *key = key_of(part, name);
	bool bare = key->kind >= CONF_NUMBER && key->kind <= CONF_NUMBERS;

	if (!accepted(key, text))
		return false;
	buf_printf(&part->text, "\t%s = ", name);
	if (bare)
		buf_puts(&part->text, text);
	else
		conf_quote(&part->text, text);
	buf_puts(&part->text, "\n");
	return true;
}

void carry(struct part *part, const char *from, const char *to, const char *otherwise)
{
	const char *text = take(part, from);
	/* a host has no default, but need not be there with return_to_sender */
	bool needed = !key_of(part, to)->initial || strcmp(to, "host") == 0;

	if (!*text)
		text = otherwise;
	if (*text && put(part, to, text))
		return;
	if (*text)
		note(part, from, "%s cannot have this value; dcmspool.conf(5) has its form", to);
	else if (needed)
		note(part, from, "it is missing, and %s needs it", to);
	/* rather no target than another one */
	part->usable &= *text ? part->section != CONF_TARGET : !needed;
}

void put_comment(struct buf *out, const char *indent, const char *label, const char *text)
{
	buf_printf(out, "%s# %s", indent, label);
	put_plain(out, text);
	buf_puts(out, "\n");
}
