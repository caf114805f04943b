/*
 * warn: what is right but hardly meant: rules that can never apply, rules that discard
 * everything, rules that are there twice, targets that no rule names, secrets that others may read,
 * keys that do not fit.
 *
 * An expression is constant when its evaluation asked for no tag: without one nothing that it sees
 * can ever be different. rule_never() finds others.
 */
#include "decide/rules.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/run.h"
#include "conf/ask.h"
#include "conf/target.h"
#include "conf/work.h"
#include "rule/never.h"
#include "rule/rule.h"

enum truth { VARIES, ALWAYS, NEVER };

struct truths {
	const struct conf *conf;
	enum truth *rule; /* one for each */
};

struct question {
	bool *asked;
};

/* rule_tag_fn */
static const char *ask(const void *context, const char *name)
{
	const struct question *question = context;

	(void)name; /* any is one */
	*question->asked = true;
	return "";
}

/* why: of a rule that can never apply; "" when it is just false. */
static enum truth truth_of(const struct rule *rule, char *why, size_t size)
{
	char reason[RULE_WHY - sizeof("it always fails ()")] = "";
	bool asked = false;
	struct question question = { &asked };
	enum rule_result result = rule_evaluate(rule, ask, &question, reason, sizeof(reason));

	if (asked)
		return rule_never(rule, why, size) ? NEVER : VARIES;
	if (result == RULE_FAILED)
		(void)snprintf(why, size, "it always fails (%s)", reason); /* fits */
	return result == RULE_TRUE ? ALWAYS : NEVER;
}

/* The first enabled rule before end that always applies and is a fallback rule or none; NULL if
 * none is. */
static const struct conf_rule *always(
	const struct truths *truths, size_t end, bool fallback, bool discard)
{
	for (size_t i = 0; i < end; i++) {
		const struct conf_rule *r = &truths->conf->rule[i];

		if (truths->rule[i] == ALWAYS && !r->disabled && r->fallback == fallback &&
			(!discard || r->action == CONF_DISCARD))
			return r;
	}
	return NULL;
}

/* Other rules that keep this one from ever applying, or having an effect. */
static void warn_of_others(struct conf_work *work, const struct truths *truths, size_t nth)
{
	const struct conf_rule *rule = &work->conf->rule[nth], *other;

	if (rule->fallback) {
		other = always(truths, work->conf->rule_count, false, false);
		if (other)
			CONF_REPORT(work, CONF_RULE, nth, "fallback",
				"warning: the rule can never apply: rule \"%s\" always does; "
				"remove one",
				other->name);
		if (other)
			return;
	}
	other = always(truths, nth, rule->fallback, true);
	if (other)
		CONF_REPORT(work, CONF_RULE, nth, "match",
			"warning: the rule can never apply: rule \"%s\" before it always discards; "
			"remove one",
			other->name);
}

static void warn_of_truth(
	struct conf_work *work, const struct truths *truths, size_t nth, const char *why)
{
	const struct conf_rule *rule = &work->conf->rule[nth];

	if (truths->rule[nth] == NEVER)
		CONF_REPORT(work, CONF_RULE, nth, "match",
			"warning: the rule can never apply: %s; correct or disable it",
			*why ? why : "it is always false");
	else if (truths->rule[nth] == ALWAYS && rule->action == CONF_DISCARD && !rule->fallback)
		CONF_REPORT(work, CONF_RULE, nth, "match",
			"warning: everything is discarded, whatever other rules say; "
			"add fallback = true to discard only what no other rule takes");
}

static bool has(const struct conf_strings *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], text) == 0)
			return true;
	return false;
}

/* A rule, and all that makes it what it is, as a text: the same for rules that are the same. */
struct likeness {
	char *text;
	size_t nth;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_likeness(const void *a, const void *b)
{
	const struct likeness *left = a, *right = b;
	int order = strcmp(left->text, right->text);

	return order ? order : left->nth < right->nth ? -1 : 1;
}

/* The targets in any order; no name is in a list twice. */
static void add_targets(struct buf *out, const struct conf_strings *targets)
{
	char **name = calloc(targets->count + 1, sizeof(*name));

	if (!name) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < targets->count; i++)
		name[i] = targets->item[i];
	qsort(name, targets->count, sizeof(*name), by_text);
	for (size_t i = 0; i < targets->count; i++)
		buf_printf(out, "%s,", name[i]);
	free(name);
}

/* NULL without memory. */
static char *likeness_of(const struct conf_rule *r)
{
	struct buf out = { 0 };
	char *match = rule_normal(r->match);

	buf_printf(&out, "%d %d %d %d %d ", (int)r->action, (int)r->priority, (int)r->on,
		(int)r->fallback, (int)r->cut_through);
	add_targets(&out, &r->targets);
	if (match)
		buf_printf(&out, " %s", match);
	if (!match || out.failed)
		buf_free(&out);
	free(match);
	return out.data;
}

static void warn_of_same(struct conf_work *work)
{
	const struct conf_rule *rule = work->conf->rule;
	struct likeness *all = calloc(work->conf->rule_count + 1, sizeof(*all));
	size_t count = 0, first = 0;

	for (size_t i = 0; all && i < work->conf->rule_count; i++) {
		if (rule[i].disabled)
			continue;
		all[count] = (struct likeness){ likeness_of(&rule[i]), i };
		if (!all[count].text) {
			work->no_memory = true;
			goto out;
		}
		count++;
	}
	if (all)
		qsort(all, count, sizeof(*all), by_likeness);
	else
		work->no_memory = true;
	for (size_t i = 1; all && i < count; i++) {
		if (strcmp(all[i].text, all[first].text) == 0)
			CONF_REPORT(work, CONF_RULE, all[i].nth, "match",
				"warning: it is the same as rule \"%s\"; remove one",
				rule[all[first].nth].name);
		else
			first = i;
	}
out:
	for (size_t i = 0; i < count; i++)
		free(all[i].text);
	free(all);
}

static void warn_of_cut_through(struct conf_work *work, size_t nth)
{
	const struct conf_rule *rule = &work->conf->rule[nth];
	bool ahead = !rule->cut_through;

	for (size_t i = 0; i < rule->targets.count; i++)
		ahead |= target_takes_ahead(conf_target(work->conf, rule->targets.item[i]));
	if (!ahead)
		CONF_REPORT(work, CONF_RULE, nth, "cut_through",
			"warning: it has no effect, as no target is of type dicom; remove it");
}

static void warn_of_rules(struct conf_work *work)
{
	struct conf *conf = work->conf;
	struct truths truths = { conf, calloc(conf->rule_count + 1, sizeof(*truths.rule)) };
	char why[RULE_WHY];

	if (!truths.rule) {
		work->no_memory = true;
		return;
	}
	for (size_t i = 0; i < conf->rule_count; i++) {
		*why = '\0';
		truths.rule[i] = truth_of(conf->rule[i].compiled, why, sizeof(why));
		if (!conf->rule[i].disabled)
			warn_of_truth(work, &truths, i, why);
		warn_of_cut_through(work, i);
	}
	for (size_t i = 0; i < conf->rule_count; i++)
		if (!conf->rule[i].disabled && truths.rule[i] != NEVER)
			warn_of_others(work, &truths, i);
	free(truths.rule);
}

static void warn_of_unused(struct conf_work *work, size_t nth)
{
	const struct conf *conf = work->conf;

	for (size_t i = 0; i < conf->rule_count; i++)
		if (!conf->rule[i].disabled && has(&conf->rule[i].targets, conf->target[nth].name))
			return;
	CONF_REPORT(work, CONF_TARGET, nth, NULL,
		"warning: no enabled rule names this target; name it in one, or remove it");
}

/* The user that dcmspool runs as: the owner of the spool, where there is one. */
static uid_t runner(const struct conf *conf)
{
	struct stat st;

	return stat(conf->spool, &st) == 0 ? st.st_uid : geteuid();
}

/* A file that is named. What may not be looked at is its reader's to tell: it may run as
 * another user. */
static void warn_of_file(
	struct conf_work *work, size_t nth, const struct conf_key *key, const char *path)
{
	char why[300];

	if (path && target_file_is_wrong(
			    path, key->kind == CONF_SECRET, runner(work->conf), why, sizeof(why)))
		CONF_REPORT(work, key->section, nth, key->name, "warning: %s", why);
}

/* What its sender says of its settings without connecting anywhere. It knows what this program does
 * not link: whether a key and a certificate belong together, say. */
static void warn_of_settings(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];
	char reason[512] = "";
	int out;
	pid_t pid = ask_start(target, "-n", true, &out);
	int code = pid < 0 ? -1 : run_wait(pid);

	if (pid < 0 || ask_reason(out, reason, sizeof(reason)) < 0)
		CONF_REPORT(work, CONF_TARGET, nth, NULL,
			"warning: unable to have send-%s look at it: %s", target->type,
			strerror(errno));
	else if (code == EXIT_PERMANENT && *reason)
		CONF_REPORT(work, CONF_TARGET, nth, NULL, "warning: %s", reason);
	if (pid < 0 && out >= 0)
		(void)close(out); /* memory */
}

/* The files that it names, by themselves and then by what is in them. */
static void warn_of_files(struct conf_work *work, size_t nth, const struct conf_type *type)
{
	size_t before = work->mistake_count;
	bool any = false;

	for (size_t i = 0; i < type->key_count; i++)
		if (type->key[i].kind == CONF_FILE || type->key[i].kind == CONF_SECRET) {
			const char *path =
				conf_setting(&work->conf->target[nth], type->key[i].name);

			any |= path != NULL;
			warn_of_file(work, nth, &type->key[i], path);
		}
	if (any && type->reads_itself && work->mistake_count == before &&
		geteuid() == runner(work->conf))
		warn_of_settings(work, nth);
}

static void warn_of_target(struct conf_work *work, size_t nth)
{
	const struct conf_target *target = &work->conf->target[nth];
	const struct conf_type *type = conf_type_find(target->type);

	warn_of_unused(work, nth);
	warn_of_files(work, nth, type);
	if (target->rate_limit && type->unpaced)
		CONF_REPORT(work, CONF_TARGET, nth, "rate_limit",
			"warning: it has no effect on targets of type %s; remove it", type->name);
	if (type->warn)
		type->warn(work, nth);
}

static bool is_installed(const char *program)
{
	const char *directory = getenv("PATH");
	bool found = false;

	while (directory && *directory && !found) {
		size_t length = strcspn(directory, ":");
		struct buf path = { 0 };

		buf_printf(&path, "%.*s/%s", (int)length, directory, program);
		found = !path.failed && access(path.data, X_OK) == 0;
		buf_free(&path);
		directory += length + (directory[length] == ':');
	}
	return found;
}

static void warn_of_tls(struct conf_work *work)
{
	const struct conf_receiver *r = &work->conf->receiver;
	const char *const name[] = { "tls_key", "tls_cert", "tls_ca" };
	const char *const path[] = { r->tls_key, r->tls_cert, r->tls_ca };

	if (!r->tls_port)
		return;
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++)
		warn_of_file(work, 0, conf_key_find(CONF_RECEIVER, name[i], NULL), path[i]);
	if (!is_installed("stunnel4"))
		CONF_REPORT(work, CONF_RECEIVER, 0, "tls_port",
			"warning: stunnel4 is missing; install the package stunnel4");
}

/* Nobody is called so, and the list fits nobody then. */
static void warn_of_titles(struct conf_work *work, enum conf_section section, size_t nth,
	const char *key, const struct conf_strings *titles)
{
	for (size_t i = 0; i < titles->count; i++)
		if (strpbrk(titles->item[i], "*?"))
			CONF_REPORT(work, section, nth, key,
				"warning: \"%s\" is no pattern here, but an AE title of these very "
				"characters; give each title",
				titles->item[i]);
}

static void warn_of_callers(struct conf_work *work)
{
	const struct conf_receiver *r = &work->conf->receiver;

	warn_of_titles(work, CONF_RECEIVER, 0, "calling_aets", &r->calling_aets);
	warn_of_titles(work, CONF_RECEIVER, 0, "called_aets", &r->called_aets);
	for (size_t i = 0; i < work->conf->sender_count; i++) {
		const struct conf_sender *s = &work->conf->sender[i];

		warn_of_titles(work, CONF_SENDER, i, "calling_aets", &s->calling_aets);
		warn_of_titles(work, CONF_SENDER, i, "called_aets", &s->called_aets);
	}
}

void rules_check_and_warn(struct conf_work *work)
{
	rules_check(work);
	if (work->mistake_count || work->no_memory)
		return;
	warn_of_tls(work);
	warn_of_callers(work);
	warn_of_rules(work);
	warn_of_same(work);
	for (size_t i = 0; i < work->conf->target_count; i++)
		warn_of_target(work, i);
	conf_work_print(work); /* the configuration stays right */
	conf_work_forget(work);
}
