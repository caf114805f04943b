/*
 * dcmspool-conf: prints the configuration's values for scripts, or all of it, defaults included.
 *
 *   dcmspool-conf KEY...   the values of each KEY, one a line: "spool", "receiver.port",
 *                          "targets", "target.NAME.type", ...
 *   dcmspool-conf          everything, in the configuration's own syntax: it can be read back
 *   dcmspool-conf -k       which keys there are, with type, range and default
 *
 * What can be asked for is what the tables of conf_schema hold; nothing is known twice.
 */
#define _GNU_SOURCE /* optind */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "conf/table.h"
#include "decide/rules.h"
#include "keys.h"
#include "base/log.h"
#include "base/str.h"

static const char usage[] = "dcmspool-conf [-hkn] [-c FILE] [KEY ...]";

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

static void put_all(struct buf *out, struct conf *conf)
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

static bool put(struct buf *out, struct conf *conf, const char *key)
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

/* Frees what it writes. */
static void print(struct buf *out)
{
	if (out->failed)
		die(EXIT_TEMPORARY, "unable to print the configuration: out of memory; try again");
	if (fwrite(out->data ? out->data : "", 1, out->length, stdout) != out->length ||
		fflush(stdout) == EOF)
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
	buf_free(out);
}

/* -k; needs no configuration. */
static void option(int letter, const char *argument)
{
	struct buf out = { 0 };

	(void)letter; /* there is one only, without an argument */
	(void)argument;
	keys_print(&out);
	print(&out);
	exit(0);
}

/* Only a look at the options, for -n: cli_options() reads them again and speaks of mistakes.
 * An operand of -n is a file whose -c was forgotten: another file is not called right instead. */
static bool checking(int argc, char *argv[])
{
	static const struct option words[] = { { "config", required_argument, NULL, 'c' }, { 0 } };
	bool found = false;
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, "+:c:hkn", words, NULL)) != -1)
		found |= letter == 'n';
	if (found && optind < argc)
		die(EXIT_PERMANENT,
			"unable to check %s: it is no option; name the file with -c; usage: "
			"dcmspool-conf -n [-c FILE]",
			argv[optind]);
	optind = 1;
	return found;
}

int main(int argc, char *argv[])
{
	struct conf *conf;
	struct buf out = { 0 };

	log_open(argv[0]);
	conf = cli_options_checked(argc, argv, "k", option, usage,
		checking(argc, argv) ? rules_check_and_warn : rules_check);
	if (optind == argc)
		put_all(&out, conf);
	for (int i = optind; i < argc; i++)
		if (!put(&out, conf, argv[i]))
			die(EXIT_PERMANENT,
				"unable to print %s: the configuration has no such key; without "
				"KEY, "
				"dcmspool-conf prints all",
				argv[i]);
	print(&out);
	conf_free(conf);
	return 0;
}
