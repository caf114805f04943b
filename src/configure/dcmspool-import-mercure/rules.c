/*
 * rules: mercure's rules as sections, their text unchanged. One that does here what it did not
 * there, or would send what mercure would not, is disabled; one that has no target left becomes a
 * comment.
 */
#include "import.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/nearest.h"
#include "decide/names.h"
#include "rule/rule.h"

struct imported {
	struct part part;
	struct buf targets;
	size_t target_count;
	bool disabled;
	const char *fallback; /* the fallback rule that counts, or NULL */
};

static void disable(struct imported *rule, const char *key, const char *why)
{
	note(&rule->part, key, "%s: the rule is disabled", why);
	put_comment(&rule->part.text, "\t", "disabled: ", why);
	rule->disabled = true;
}

static void add_target(struct imported *rule, const char *old)
{
	const struct import *import = rule->part.import;
	char name[IMPORT_NAME + 4];

	for (size_t i = 0; i < import->target_count; i++) {
		const struct import_name *t = &import->target[i];

		if (strcmp(t->old, old) != 0 || !t->usable)
			continue;
		(void)snprintf(name, sizeof(name), "\"%s\"", t->name); /* fits */
		if (rule->targets.data && strstr(rule->targets.data, name))
			return; /* named twice */
		buf_printf(&rule->targets, "%s%s", rule->target_count++ ? ", " : "", name);
		return;
	}
	note(&rule->part, "target", "there is no target %s here; it is left out", old);
}

/* A name, or a list of names. */
static void add_targets(struct imported *rule)
{
	json_t *target = json_object_get(rule->part.object, "target"), *item;
	const char *one = take(&rule->part, "target");
	size_t i;

	(void)json_object_del(rule->part.left, "target"); /* fails when it is not there */
	if (*one)
		add_target(rule, one);
	json_array_foreach (target, i, item) {
		if (json_is_string(item) && *json_string_value(item))
			add_target(rule, json_string_value(item));
	}
}

static void put_match(struct imported *rule)
{
	const char *text = take(&rule->part, "rule");
	struct rule_error error = { 0 };
	char hint[NEAREST_HINT], why[NEAREST_HINT + sizeof(error.message) + 64];
	struct rule *compiled;

	if (!*text)
		text = "False"; /* mercure's default */
	compiled = rule_compile(text, names_known, &error);
	if (error.no_memory)
		(void)need(NULL);
	if (!compiled) {
		(void)snprintf(why, sizeof(why), "line %d, column %d: %s%s", error.line,
			error.column, error.message,
			names_hint(&error, hint, sizeof(hint))); /* fits */
		disable(rule, "rule", why);
		buf_puts(&rule->part.text, "\t# match = ");
		conf_quote(&rule->part.text, text);
		buf_puts(&rule->part.text, "\n");
		text = "False";
	}
	rule_free(compiled);
	(void)put(&rule->part, "match", text); /* it is not empty */
}

/* The rule that mercure takes when no other applied: its last one. NULL when there is none. */
static const char *last_fallback(struct import *import, json_t *rules)
{
	const char *old, *last = NULL;
	struct part part;
	json_t *object;

	json_object_foreach (rules, old, object) {
		if (!json_is_object(object))
			continue;
		part_open(&part, import, "rules", old, object);
		if (take_bool(&part, "fallback") && !take_bool(&part, "disabled"))
			last = old;
		(void)json_object_clear(part.left); /* only looked at */
		part_close(&part);
	}
	return last;
}

static void put_action(struct imported *rule)
{
	struct part *part = &rule->part;
	const char *action = take(part, "action");

	if (strcmp(action, "discard") == 0) {
		(void)put(part, "action", "discard");
		(void)json_object_del(part->left, "target"); /* mercure does not look at it */
		return;
	}
	if (*action && strcmp(action, "route") != 0 && strcmp(action, "both") != 0) {
		refuse(part, "action",
			"%s has no counterpart: the rule is a comment; what only it took goes "
			"to the fallback rule or is discarded",
			action);
		return;
	}
	add_targets(rule);
	if (!rule->target_count)
		refuse(part, "target",
			"no target is left: the rule is a comment; what only it took goes to the "
			"fallback rule or is discarded");
	/* what leaves a hospital unprocessed may have a patient's name in it */
	else if (strcmp(action, "both") == 0)
		disable(rule, "action", "images are not processed before they are sent");
}

static void put_trigger(struct imported *rule)
{
	struct part *part = &rule->part;
	bool study = strcmp(take(part, "action_trigger"), "study") == 0;
	bool listed = strcmp(take(part, "study_trigger_condition"), "received_series") == 0;

	if (study && listed)
		disable(rule, "study_trigger_condition", "no series waits for others of its study");
	else if (study)
		note(part, "action_trigger",
			"each series goes when it is complete, and does not wait for its study");
	(void)take(part, "study_force_completion_action");
	(void)take(part, "study_trigger_series");
}

/* What belongs to processing and to notifications, told once. */
static void drop_others(struct part *part)
{
	static const char *const told[] = { "processing_module", "notification_email",
		"notification_webhook", "dynamic_routing", "conditional_alternate_target" };
	static const char *const silent[] = { "processing_*", "notification_*",
		"dynamic_routing_*" };
	const char *key;
	json_t *value;
	void *next;

	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		drop(part, told[i], "no counterpart");
	json_object_foreach_safe(part->left, next, key, value)
	{
		for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
			if (fnmatch(silent[i], key, 0) == 0) {
				(void)json_object_del(part->left, key);
				break;
			}
	}
}

static void put_rest(struct imported *rule)
{
	struct part *part = &rule->part;
	const char *priority = take(part, "priority");

	if (rule->target_count)
		buf_printf(&part->text, "\ttargets = { %s }\n", rule->targets.data);
	if (take_bool(part, "fallback")) {
		(void)put(part, "fallback", "true");
		if (rule->fallback && rule->fallback != part->old && !take_bool(part, "disabled"))
			disable(rule, "fallback", "mercure uses its last fallback rule only");
	}
	if (*priority && strcmp(priority, "normal") != 0)
		carry(part, "priority", "priority", "");
	if (*take(part, "contact"))
		carry(part, "contact", "contact", "");
	if (*take(part, "comment"))
		carry(part, "comment", "comment", "");
	if (take_bool(part, "disabled") || rule->disabled)
		(void)put(part, "disabled", "true");
}

/* Each line of the text as a comment; values have no line ends in them. */
static void comment_out(struct buf *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		buf_puts(out, "#");
		buf_add(out, text, n);
		buf_puts(out, "\n");
		text += n + (text[n] == '\n');
	}
}

static void import_rule(struct imported *rule, const char *name)
{
	struct buf *out = &rule->part.import->out;
	struct buf section = { 0 };

	put_match(rule);
	put_action(rule);
	put_trigger(rule);
	drop_others(&rule->part);
	put_rest(rule);
	if (rule->part.text.failed || rule->targets.failed)
		need(NULL);
	buf_printf(&section, "rule \"%s\" {\n%s}\n", name, rule->part.text.data);
	if (section.failed)
		need(NULL);
	buf_puts(out, "\n");
	if (rule->part.usable)
		buf_puts(out, section.data);
	else
		comment_out(out, section.data);
	buf_free(&section);
	buf_free(&rule->targets);
}

void import_rules(struct import *import)
{
	json_t *rules = json_object_get(import->root, "rules"), *object;
	struct import_name *names;
	struct imported rule;
	const char *old, *fallback;
	size_t count = 0;

	if (json_object_size(rules) > IMPORT_MAX)
		die(EXIT_PERMANENT, "unable to read %s: more than %d rules", import->file,
			(int)IMPORT_MAX);
	fallback = last_fallback(import, rules);
	names = need(calloc(json_object_size(rules) + 1, sizeof(*names)));
	json_object_foreach (rules, old, object) {
		rule = (struct imported){ .fallback = fallback };
		if (!json_is_object(object)) {
			part_open(&rule.part, import, "rules", old, NULL);
			note(&rule.part, NULL, "it is no object, and left out");
			part_close(&rule.part);
			continue;
		}
		part_open(&rule.part, import, "rules", old, object);
		rule.part.section = CONF_RULE;
		choose_name(&rule.part, names, count, names[count].name);
		import_rule(&rule, names[count].name);
		count++;
		part_close(&rule.part);
	}
	free(names);
}
