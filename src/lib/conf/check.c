/*
 * check: what values say about each other, and the rules.
 */
#define _GNU_SOURCE /* strcasestr */
#include "conf/impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reports when the duration of key less is longer than that of key more. */
static void in_order(struct conf_work *work, enum conf_section section, size_t nth,
	const char *less, const char *more)
{
	const struct conf_key *a = conf_key_find(section, less, NULL);
	const struct conf_key *b = conf_key_find(section, more, NULL);
	const char *base = conf_base(work->conf, section, nth);
	struct buf first = { 0 }, second = { 0 };

	if (*(const long *)(const void *)(base + a->offset) <=
		*(const long *)(const void *)(base + b->offset))
		return;
	conf_value_print(&first, a, base);
	conf_value_print(&second, b, base);
	if (first.failed || second.failed)
		work->no_memory = true;
	else
		CONF_REPORT(work, section, nth, conf_find(work, section, nth, less) ? less : more,
			"%s (%s) is longer than %s (%s); make it shorter, or the other longer",
			less, first.data, more, second.data);
	buf_free(&first);
	buf_free(&second);
}

static void check_receiver(struct conf_work *work)
{
	struct conf_receiver *r = &work->conf->receiver;

	if (r->max_associations_per_peer <= r->max_associations)
		return;
	if (conf_find(work, CONF_RECEIVER, 0, "max_associations_per_peer"))
		CONF_REPORT(work, CONF_RECEIVER, 0, "max_associations_per_peer",
			"%ld is more than max_associations (%ld); at most that many can be open",
			r->max_associations_per_peer, r->max_associations);
	else
		r->max_associations_per_peer =
			r->max_associations; /* only the default is too large */
}

/* A folder inside the spool would be taken for a part of it. */
static void check_path(struct conf_work *work, size_t nth)
{
	const char *path = conf_setting(&work->conf->target[nth], "path");
	const char *spool = work->conf->spool;
	size_t n = spool ? strlen(spool) : 0;

	if (!path || !n || strcmp(work->conf->target[nth].type, "folder") != 0)
		return;
	if (strncmp(path, spool, n) == 0 && (path[n] == '/' || path[n] == '\0'))
		CONF_REPORT(work, CONF_TARGET, nth, "path",
			"%s lies in the spool %s; give a path outside of it", path, spool);
}

static bool is_yes(const struct conf_target *target, const char *key)
{
	const char *value = conf_setting(target, key);

	return value && strcmp(value, "yes") == 0;
}

/* An object is replaced by one of the same name, so each image must have its own. */
static void check_s3(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];
	const char *layout = conf_setting(target, "layout");

	if (target->type && strcmp(target->type, "s3") == 0 && layout &&
		!strcasestr(layout, "{SOPInstanceUID}"))
		CONF_REPORT(work, CONF_TARGET, nth, "layout",
			"it has no {SOPInstanceUID}, so images would replace each other; add it");
}

/* Keys of a dicom target that need or exclude each other. */
static void check_dicom(struct conf_work *work, size_t nth)
{
	static const char *const where[] = { "host", "aec" };
	static const char *const tls[] = { "tls_key", "tls_cert", "tls_ca" };
	const struct conf_target *target = &work->conf->target[nth];
	const char *text = conf_setting(target, "connections");
	const char *decompress = conf_setting(target, "decompress");
	bool back = is_yes(target, "return_to_sender");
	long connections = text ? strtol(text, NULL, 10) : 1;
	bool has_key, has_cert;

	if (!target->type || strcmp(target->type, "dicom") != 0)
		return;
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		bool is_set = conf_find(work, CONF_TARGET, nth, where[i]) != NULL;

		if (!is_set && !back)
			CONF_REPORT(work, CONF_TARGET, nth, where[i],
				"this key is missing; add %s = ... to the target, or "
				"return_to_sender = yes",
				where[i]);
		if (is_set && back)
			CONF_REPORT(work, CONF_TARGET, nth, where[i],
				"with return_to_sender it is the sender's; remove one of the two");
	}
	for (size_t i = 0; i < sizeof(tls) / sizeof(tls[0]); i++)
		if (conf_find(work, CONF_TARGET, nth, tls[i]) && !is_yes(target, "tls"))
			CONF_REPORT(
				work, CONF_TARGET, nth, tls[i], "it has no use without tls = yes");
	if (is_yes(target, "tls") && !conf_find(work, CONF_TARGET, nth, "tls_ca"))
		CONF_REPORT(work, CONF_TARGET, nth, "tls_ca",
			"this key is missing; name the file of the CA that signed the target's "
			"certificate");
	if (is_yes(target, "tls") && decompress && strcmp(decompress, "never") != 0)
		CONF_REPORT(work, CONF_TARGET, nth, "decompress",
			"%s is not possible with tls = yes; remove one of the two", decompress);
	has_key = conf_find(work, CONF_TARGET, nth, "tls_key") != NULL;
	has_cert = conf_find(work, CONF_TARGET, nth, "tls_cert") != NULL;
	if (has_key != has_cert)
		CONF_REPORT(work, CONF_TARGET, nth, has_key ? "tls_key" : "tls_cert",
			"a client certificate needs tls_key and tls_cert; add the other");
	if (connections > target->max_connections)
		CONF_REPORT(work, CONF_TARGET, nth, "connections",
			"%ld is more than max_connections (%ld); raise that, or lower this",
			connections, target->max_connections);
}

static void check_command(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];
	const char *command = conf_setting(target, "command");

	if (target->type && strcmp(target->type, "command") == 0 && command && *command != '/')
		CONF_REPORT(work, CONF_TARGET, nth, "command",
			"\"%s\" does not begin with an absolute path; for example "
			"\"/usr/local/bin/notify\"",
			command);
}

/* Shows the line of the rule with a caret under the mistake. */
static void show(struct conf_work *work, size_t nth, const struct rule_error *error)
{
	const struct conf_statement *s = conf_find(work, CONF_RULE, nth, "match");
	char *path = conf_path(work, CONF_RULE, nth, "match");
	struct conf_place place = conf_place_of(work, CONF_RULE, nth, "match");
	struct buf lines = { 0 };
	char hint[NEAREST_HINT];

	if (s) {
		place = s->value;
		place.line += error->line > 0 ? error->line - 1 : 0;
	}
	rule_show(&lines, work->conf->rule[nth].match, error, "    ");
	if (lines.failed)
		work->no_memory = true;
	else
		conf_report(work, place, path, "column %d: %s%s\n%s", error->column, error->message,
			conf_rule_hint(error, hint, sizeof(hint)), lines.data);
	buf_free(&lines);
	free(path);
}

static void check_targets(struct conf_work *work, size_t nth)
{
	const struct conf_rule *rule = &work->conf->rule[nth];
	char hint[NEAREST_HINT];

	if (rule->action == CONF_DISCARD && rule->targets.count)
		CONF_REPORT(work, CONF_RULE, nth, "targets",
			"the rule discards; remove its targets, or action = discard");
	if (rule->action == CONF_ROUTE && !rule->targets.count)
		CONF_REPORT(work, CONF_RULE, nth, "targets",
			"the rule has no targets; add targets = { \"NAME\" }, or action = discard");
	for (size_t i = 0; i < rule->targets.count; i++) {
		const char *name = rule->targets.item[i];
		struct nearest nearest = { .word = name };

		if (!name || conf_target(work->conf, name))
			continue;
		for (size_t k = 0; k < work->conf->target_count; k++)
			if (work->conf->target[k].name)
				nearest_try(&nearest, work->conf->target[k].name);
		nearest_hint(&nearest, hint, sizeof(hint));
		CONF_REPORT(work, CONF_RULE, nth, "targets", "there is no target \"%s\"%s", name,
			*hint ? hint : "; add a section target \"NAME\" { ... } for it");
	}
}

static void compile(struct conf_work *work, size_t nth)
{
	struct conf_rule *rule = &work->conf->rule[nth];
	struct rule_error error = { 0 };

	if (!rule->match || !*rule->match)
		return; /* reported */
	rule->compiled = rule_compile(rule->match, conf_tag_known, &error);
	if (!rule->compiled)
		show(work, nth, &error);
}

/* ".deleting.<job>.<target>~<number>" must fit into a file name of 255 bytes; outgoing/held is a
 * sign, and `dcmspool hold all` means every target. */
static void check_name(struct conf_work *work, size_t nth)
{
	enum { NAME_MAX_BYTES = 128 };
	const char *name = work->conf->target[nth].name;

	if (name && strlen(name) > NAME_MAX_BYTES)
		CONF_REPORT(work, CONF_TARGET, nth, NULL,
			"the name is longer than %d bytes; shorten it", NAME_MAX_BYTES);
	if (name && strcmp(name, "held") == 0)
		CONF_REPORT(work, CONF_TARGET, nth, NULL,
			"outgoing/held holds all targets; give the target another name");
	if (name && strcmp(name, "all") == 0)
		CONF_REPORT(work, CONF_TARGET, nth, NULL,
			"\"all\" means every target to the verbs; give the target another name");
}

void conf_check(struct conf_work *work)
{
	conf_want_extra(work);
	check_receiver(work);
	in_order(work, CONF_ROUTER, 0, "association_grace", "series_timeout");
	for (size_t i = 0; i < work->conf->target_count; i++) {
		in_order(work, CONF_TARGET, i, "retry_min", "retry_max");
		check_name(work, i);
		check_path(work, i);
		check_dicom(work, i);
		check_s3(work, i);
		check_command(work, i);
		conf_check_remote(work, i);
	}
	for (size_t i = 0; i < work->conf->rule_count; i++) {
		check_targets(work, i);
		compile(work, i);
	}
	if (conf_warnings && !work->mistake_count && !work->no_memory)
		conf_warn(work);
}
