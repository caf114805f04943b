/*
 * all: a whole configuration in its own syntax, defaults included, so that it can be read back; and
 * any one value.
 */
#include "conf/table.h"

#include <string.h>

/* A value that conf_target.setting holds, in the configuration's syntax or plain. */
static void put_setting(
	struct buf *out, const struct conf_key *key, const struct conf_target *target, bool plain)
{
	const char *text = conf_setting(target, key->name);

	if (plain || key->kind == CONF_NUMBER || key->kind == CONF_BYTES)
		buf_puts(out, text ? text : "");
	else if (key->kind == CONF_SECONDS)
		buf_printf(out, "%ss", text);
	else
		conf_quote(out, text);
	if (plain)
		buf_printf(out, "%s\n", key->kind == CONF_SECONDS ? "s" : "");
}

/* True for a key that is kept as a pair of conf_target.setting. */
static bool in_setting(const struct conf_key *key)
{
	return conf_key_type(key) && key->kind != CONF_SETTINGS;
}

static bool applies(struct conf *conf, const struct conf_key *key, size_t nth)
{
	return !conf_key_type(key) || conf_key_applies(key, conf->target[nth].type);
}

/* An empty text can be left out only. */
static bool is_empty(
	const struct conf *conf, const struct conf_key *key, const void *base, size_t nth)
{
	const char *text;

	if (in_setting(key))
		return !conf_setting(&conf->target[nth], key->name);
	if (key->kind > CONF_AET || !key->initial)
		return false;
	text = *(char *const *)(const void *)((const char *)base + key->offset);
	return !text || !*text;
}

static void put_section(struct buf *out, struct conf *conf, enum conf_section section, size_t nth)
{
	const char *indent = section == CONF_TOP ? "" : "\t";
	const void *base = conf_base(conf, section, nth);
	const struct conf_key *k;

	for (size_t i = 0; (k = conf_key_at(i)); i++) {
		if (k->section != section || !applies(conf, k, nth) || is_empty(conf, k, base, nth))
			continue;
		buf_printf(out, "%s%s = ", indent, k->name);
		if (in_setting(k))
			put_setting(out, k, &conf->target[nth], false);
		else
			conf_value_print(out, k, base);
		buf_puts(out, "\n");
	}
}

void conf_print_all(struct buf *out, struct conf *conf)
{
	for (enum conf_section s = CONF_TOP; s < CONF_SECTIONS; s++) {
		size_t count = conf_section_titled(s) ? conf_section_count(conf, s) : 1;

		for (size_t nth = 0; nth < count; nth++) {
			if (s != CONF_TOP)
				buf_printf(out, "\n%s%s%s%s {\n", conf_section_names[s],
					conf_section_titled(s) ? " \"" : "",
					conf_section_titled(s) ? *conf_section_name(conf, s, nth)
							       : "",
					conf_section_titled(s) ? "\"" : "");
			put_section(out, conf, s, nth);
			if (s != CONF_TOP)
				buf_puts(out, "}\n");
		}
	}
}

static bool put_key(
	struct buf *out, struct conf *conf, enum conf_section section, size_t nth, const char *name)
{
	const struct conf_key *k = conf_key_find(section, name, NULL);

	while (k && !applies(conf, k, nth))
		k = conf_key_find(section, name, k);
	if (!k)
		return false;
	if (in_setting(k))
		put_setting(out, k, &conf->target[nth], true);
	else
		conf_value_lines(out, k, conf_base(conf, section, nth));
	return true;
}

/* "senders", "targets" and "rules": the names of all of them, in the order of the files. */
static bool put_titles(struct buf *out, struct conf *conf, const char *key)
{
	for (enum conf_section s = CONF_SENDER; s < CONF_SECTIONS; s++) {
		size_t n = strlen(conf_section_names[s]);

		if (strncmp(key, conf_section_names[s], n) != 0 || strcmp(key + n, "s") != 0)
			continue;
		for (size_t i = 0; i < conf_section_count(conf, s); i++)
			buf_printf(out, "%s\n", *conf_section_name(conf, s, i));
		return true;
	}
	return false;
}

/* rest: "NAME.KEY"; names may contain dots, keys do not. */
static bool put_titled(
	struct buf *out, struct conf *conf, enum conf_section section, const char *rest)
{
	const char *dot = strrchr(rest, '.');

	for (size_t i = 0; dot && i < conf_section_count(conf, section); i++) {
		const char *name = *conf_section_name(conf, section, i);

		if (strlen(name) == (size_t)(dot - rest) &&
			strncmp(name, rest, (size_t)(dot - rest)) == 0)
			return put_key(out, conf, section, i, dot + 1);
	}
	return false;
}

bool conf_print_key(struct buf *out, struct conf *conf, const char *key)
{
	if (strcmp(key, "file") == 0) {
		buf_printf(out, "%s\n", conf->file);
		return true;
	}
	if (put_titles(out, conf, key))
		return true;
	for (enum conf_section s = CONF_TOP + 1; s < CONF_SECTIONS; s++) {
		size_t n = strlen(conf_section_names[s]);

		if (strncmp(key, conf_section_names[s], n) == 0 && key[n] == '.')
			return conf_section_titled(s) ? put_titled(out, conf, s, key + n + 1)
						      : put_key(out, conf, s, 0, key + n + 1);
	}
	return put_key(out, conf, CONF_TOP, 0, key);
}
