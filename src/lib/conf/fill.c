/*
 * fill: from libconfuse's values and the table's defaults to struct conf.
 *
 * A key of section and title goes into its structure. A key of a target's type becomes a pair of
 * conf_target.setting, all of them, in the order of the table.
 */
#define _GNU_SOURCE
#include "conf/work.h"

#include "base/log.h"
#include "base/nearest.h"
#include "conf/target.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct conf_place place_of(const struct conf_statement *s)
{
	return s ? s->place : (struct conf_place){ 0, 0 };
}

/* The statement that counts: the last one of a key in this section. */
static const struct conf_statement *statement_of(
	const struct conf_work *work, const struct conf_key *key, size_t nth)
{
	return conf_find(work, key->section, nth, key->name);
}

/* Parses what a statement says, by key, into base. */
static void assign(struct conf_work *work, cfg_t *cfg, const struct conf_statement *s,
	const struct conf_key *key, void *base)
{
	cfg_t *section = cfg;
	cfg_opt_t *option;
	char **value, *path;
	size_t count;

	if (key->section != CONF_TOP)
		section = cfg_opt_getnsec(
			cfg_getopt(cfg, conf_section_names[key->section]), (unsigned)s->nth);
	option = cfg_getopt(section, key->name);
	count = cfg_opt_size(option);
	value = calloc(count ? count : 1, sizeof(*value));
	path = conf_path(work, key->section, s->nth, key->name);
	if (!value || !path) {
		work->no_memory = true;
		goto out;
	}
	for (size_t i = 0; i < count; i++)
		value[i] = cfg_opt_getnstr(option, (unsigned)i);
	conf_value_parse(work, s->place, path, key, value, count, base);
out:
	free(value);
	free(path);
}

static void missing(struct conf_work *work, const struct conf_key *key, size_t nth)
{
	char *path = conf_path(work, key->section, nth, key->name);

	conf_report(work, place_of(conf_find(work, key->section, nth, NULL)), path,
		"this key is missing; add %s = ... to the %s", key->name,
		conf_section_names[key->section]);
	free(path);
}

static void fill_section(struct conf_work *work, cfg_t *cfg, enum conf_section section, size_t nth)
{
	void *base = conf_base(work->conf, section, nth);
	const struct conf_statement *s;
	const struct conf_key *k;

	for (size_t i = 0; (k = conf_key_at(i)); i++) {
		if (k->section != section || conf_key_type(k))
			continue;
		conf_value_initial(work, k, base);
		s = statement_of(work, k, nth);
		if (s)
			assign(work, cfg, s, k, base);
		else if (!k->initial)
			missing(work, k, nth);
	}
}

/* A value on its way into a setting. */
union field {
	char *text;
	long number;
	int choice;
	bool yes;
};

/* What the sender is told, in a buffer that the caller frees; empty when there is nothing to tell.
 */
static struct buf setting_text(const struct conf_key *key, const union field *value)
{
	struct buf text = { 0 };

	switch (key->kind) {
	case CONF_NUMBER:
	case CONF_SECONDS:
	case CONF_BYTES:
		buf_printf(&text, "%ld", value->number);
		break;
	case CONF_BOOL:
		buf_puts(&text, value->yes ? "yes" : "no");
		break;
	case CONF_CHOICE:
		conf_value_print(&text, key, value);
		break;
	default:
		if (value->text && *value->text)
			buf_puts(&text, value->text);
	}
	return text;
}

static void add_setting(struct conf_work *work, struct conf_target *target,
	const struct conf_key *key, union field *value)
{
	struct conf_strings *list = &target->setting;
	struct buf text = setting_text(key, value);
	char **grown = NULL;

	if (!text.failed && !text.data)
		return; /* an empty text; or it was wrong, and is reported */
	if (!text.failed)
		grown = reallocarray(list->item, list->count + 2, sizeof(*grown));
	if (!grown) {
		work->no_memory = true;
		buf_free(&text);
		return;
	}
	list->item = grown;
	grown[list->count++] = conf_copy(work, key->name, strlen(key->name));
	grown[list->count++] = text.data;
}

static void fill_setting(struct conf_work *work, cfg_t *cfg, const struct conf_key *key, size_t nth)
{
	const struct conf_statement *s = statement_of(work, key, nth);
	struct conf_target *target = &work->conf->target[nth];
	union field value = { 0 };

	if (key->kind == CONF_SETTINGS) {
		if (s)
			assign(work, cfg, s, key, target);
		return;
	}
	if (!s && !key->initial) {
		missing(work, key, nth);
		return;
	}
	conf_value_initial(work, key, &value);
	if (s)
		assign(work, cfg, s, key, &value);
	add_setting(work, target, key, &value);
	conf_value_free(key, &value);
}

/* A key that only other types have. */
static void misplaced(struct conf_work *work, const struct conf_key *key, size_t nth)
{
	const struct conf_statement *s = statement_of(work, key, nth);
	const char *type = work->conf->target[nth].type;
	const struct conf_type *own = conf_type_find(type);
	struct buf list = { 0 };
	char *path;

	for (const struct conf_key *k = key; s && k; k = conf_key_find(key->section, key->name, k))
		if (conf_key_applies(k, type))
			s = NULL;
	/* a key that several types have is reported once, at its first row */
	if (!s || conf_key_find(key->section, key->name, NULL) != key)
		return;
	for (size_t i = 0; i < own->key_count; i++)
		buf_printf(&list, "%s%s", list.length ? ", " : "", own->key[i].name);
	path = conf_path(work, key->section, nth, key->name);
	conf_report(work, s->place, path, "not a key of targets of type %s; they have %s", type,
		list.failed ? "others" : list.data);
	free(path);
	buf_free(&list);
}

/* "dicom, folder, ... or command" */
static void add_types(struct buf *out)
{
	for (size_t i = 0; conf_types[i].name; i++)
		buf_printf(out, "%s%s",
			i == 0                   ? ""
			: conf_types[i + 1].name ? ", "
						 : " or ",
			conf_types[i].name);
}

/* Other types than the table's need their program. False when there is none, reported. */
static bool check_type(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];
	struct nearest nearest = { .word = target->type };
	char hint[NEAREST_HINT], *program = target_program(target);
	struct buf types = { 0 };
	bool ok = true;

	add_types(&types);
	if (!program || types.failed) {
		work->no_memory = true;
		goto out;
	}
	if (name_ok(target->type)) {
		if (access(program, X_OK) == 0)
			goto out;
		if (failure_code(errno) == EXIT_TEMPORARY && errno != EACCES) {
			work->failure = errno; /* it may be there */
			goto out;
		}
	}
	for (size_t i = 0; conf_types[i].name; i++)
		nearest_try(&nearest, conf_types[i].name);
	ok = false;
	program[strlen(program) - strlen("/send-") - strlen(target->type)] = '\0';
	CONF_REPORT(work, CONF_TARGET, nth, "type",
		"no sender of type \"%s\"; use %s, or install the program send-%s in %s%s",
		target->type, types.data, target->type, program,
		nearest_hint(&nearest, hint, sizeof(hint)));
out:
	free(program);
	buf_free(&types);
	return ok;
}

static void fill_target(struct conf_work *work, cfg_t *cfg, size_t nth)
{
	const struct conf_key *k;
	const char *type;
	bool known;

	fill_section(work, cfg, CONF_TARGET, nth);
	type = work->conf->target[nth].type;
	if (!type || !*type)
		return; /* reported */
	known = conf_type_find(type)->name || check_type(work, nth);
	for (size_t i = 0; (k = conf_key_at(i)); i++) {
		if (!conf_key_type(k))
			continue;
		if (conf_key_applies(k, type))
			fill_setting(work, cfg, k, nth);
		else if (known) /* else nobody can tell which keys it has */
			misplaced(work, k, nth);
	}
}

void conf_fill(struct conf_work *work, struct cfg_t *cfg)
{
	struct conf *conf = work->conf;
	const size_t *count = work->section_count;

	conf->sender = calloc(count[CONF_SENDER] + 1, sizeof(*conf->sender));
	conf->target = calloc(count[CONF_TARGET] + 1, sizeof(*conf->target));
	conf->rule = calloc(count[CONF_RULE] + 1, sizeof(*conf->rule));
	if (!conf->sender || !conf->target || !conf->rule) {
		work->no_memory = true;
		return;
	}
	conf->sender_count = count[CONF_SENDER];
	conf->target_count = count[CONF_TARGET];
	conf->rule_count = count[CONF_RULE];
	for (size_t i = 0; i < work->statement_count; i++) {
		const struct conf_statement *s = &work->statement[i];

		if (s->title)
			*conf_section_name(conf, s->section, s->nth) =
				conf_copy(work, s->title, strlen(s->title));
	}
	for (enum conf_section s = CONF_TOP; s < CONF_SECTIONS; s++)
		if (!conf_section_titled(s))
			fill_section(work, cfg, s, 0);
	for (size_t i = 0; i < conf->sender_count && !work->no_memory; i++)
		fill_section(work, cfg, CONF_SENDER, i);
	for (size_t i = 0; i < conf->target_count && !work->no_memory; i++)
		fill_target(work, cfg, i);
	for (size_t i = 0; i < conf->rule_count && !work->no_memory; i++)
		fill_section(work, cfg, CONF_RULE, i);
}
