#define _GNU_SOURCE /* strcasestr */
#include "decide/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "conf/work.h"
#include "decide/names.h"
#include "dicom/dictionary.h"
#include "dicom/layout.h"
#include "rule/rule.h"

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
			names_hint(error, hint, sizeof(hint)), lines.data);
	buf_free(&lines);
	free(path);
}

static void compile(struct conf_work *work, size_t nth)
{
	struct conf_rule *rule = &work->conf->rule[nth];
	struct rule_error error = { 0 };

	if (!rule->match || !*rule->match)
		return; /* reported */
	rule->compiled = rule_compile(rule->match, names_known, &error);
	if (error.no_memory)
		work->no_memory = true;
	else if (!rule->compiled)
		show(work, nth, &error);
	else if (rule->cut_through && rule_names(rule->compiled, "InstanceNumber"))
		CONF_REPORT(work, CONF_RULE, nth, "cut_through",
			"the image that arrives first need not have the lowest InstanceNumber; "
			"remove that from the rule, or cut_through");
}

static void release(struct conf *conf)
{
	for (size_t i = 0; i < conf->rule_count; i++)
		rule_free(conf->rule[i].compiled);
}

/* A layout that is being looked at. */
struct look {
	struct conf_work *work;
	size_t nth; /* of the target */
	const struct conf_key *key;
};
#define WRONG(look, ...)                                                                           \
	CONF_REPORT((look)->work, CONF_TARGET, (look)->nth, (look)->key->name, __VA_ARGS__)

static void unknown_keyword(const struct look *look, const char *name)
{
	struct nearest nearest = { .word = name };
	char hint[NEAREST_HINT];

	if (!dicom_dictionary_keyword(name)) { /* one that has no text is spelt right */
		names_nearest(&nearest);
		names_nearest_keyword(&nearest);
	}
	nearest_hint(&nearest, hint, sizeof(hint));
	WRONG(look, "unknown keyword {%s}%s", name,
		*hint ? hint
		      : "; use one of the standard whose value is text or numbers, as {PatientID}");
}

/* What stands in braces must be known, and the path must stay below the target's. */
static void check_pieces(const struct look *look, const char *text)
{
	const char *close;
	char name[128];

	for (const char *p = text; *p; p++) {
		if (strncmp(p, "..", 2) == 0 && (p == text || p[-1] == '/') &&
			(!p[2] || p[2] == '/'))
			WRONG(look, "\"..\" leads out of the target's path; remove it");
		if (*p == '}')
			WRONG(look, "a } without its {; write {Keyword}");
		if (*p != '{')
			continue;
		close = strchr(p, '}');
		if (!close || (size_t)(close - p) > sizeof(name)) {
			WRONG(look, "a { without its }; write {Keyword}");
			break;
		}
		memcpy(name, p + 1, (size_t)(close - p - 1));
		name[close - p - 1] = '\0';
		if (!layout_keyword(name))
			unknown_keyword(look, name);
		p = close;
	}
}

static void check_layout(const struct look *look, const char *text)
{
	bool directories = look->key->kind == CONF_LAYOUT_DIRECTORIES;
	size_t mistakes = look->work->mistake_count;
	char why[256];

	if (*text == '/')
		WRONG(look, "\"%s\" is no path below the target's; for example \"%s\"", text,
			look->key->initial);
	check_pieces(look, text);
	if (look->work->mistake_count == mistakes &&
		(directories ? layout_check_directories : layout_check)(text, why, sizeof(why)) < 0)
		WRONG(look, "%s", why + strlen("layout: "));
	if (look->key->kind == CONF_LAYOUT_UNIQUE && !strcasestr(text, "{SOPInstanceUID}"))
		WRONG(look,
			"it has no {SOPInstanceUID}, so images would replace each other; add it");
}

static bool is_layout(enum conf_kind kind)
{
	return kind == CONF_LAYOUT || kind == CONF_LAYOUT_UNIQUE || kind == CONF_LAYOUT_DIRECTORIES;
}

static void check_layouts(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];
	const struct conf_type *type = target->type ? conf_type_find(target->type) : NULL;

	for (size_t i = 0; type && i < type->key_count; i++) {
		struct look look = { work, nth, &type->key[i] };
		const char *text = conf_setting(target, look.key->name);

		if (text && is_layout(look.key->kind))
			check_layout(&look, text);
	}
}

void rules_check(struct conf_work *work)
{
	struct conf *conf = work->conf;

	conf->release = release;
	names_check(work);
	for (size_t i = 0; i < conf->target_count; i++)
		check_layouts(work, i);
	for (size_t i = 0; i < conf->rule_count; i++)
		compile(work, i);
}
