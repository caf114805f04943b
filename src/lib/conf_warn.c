/*
 * conf_warn: what is right but hardly meant: rules that can never apply, rules that discard everything,
 * rules that are there twice, targets that no rule names, secrets that others may read.
 *
 * An expression is constant when its evaluation asked for no tag: without one nothing that it sees can
 * ever be different.
 */
#include "conf_impl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool conf_warnings;

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

static enum truth truth_of(const struct rule *rule, char *why, size_t size)
{
	bool asked = false;
	struct question question = { &asked };
	enum rule_result result = rule_evaluate(rule, ask, &question, why, size);

	if (asked)
		return VARIES;
	return result == RULE_TRUE ? ALWAYS : NEVER;
}

/* The first enabled rule before end that always applies and is a fallback rule or none; NULL if none is. */
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

	if (truths->rule[nth] == NEVER && *why)
		CONF_REPORT(work, CONF_RULE, nth, "match",
			"warning: the rule can never apply: it always fails (%s); correct or "
			"disable it",
			why);
	else if (truths->rule[nth] == NEVER)
		CONF_REPORT(work, CONF_RULE, nth, "match",
			"warning: the rule can never apply: it is always false; correct or "
			"disable it");
	else if (truths->rule[nth] == ALWAYS && rule->action == CONF_DISCARD && !rule->fallback)
		CONF_REPORT(work, CONF_RULE, nth, "match",
			"warning: everything is discarded, whatever other rules say; add fallback "
			"= true "
			"to discard only what no other rule takes");
}

/* Without the spaces that mean nothing: all outside of strings but one between two words. */
static void squeeze(struct buf *out, const char *text)
{
	char quote = '\0';

	for (const char *p = text; *p; p++) {
		const char *next = p + strspn(p, " \t\r\n");

		if (!quote && next > p) {
			if (out->length && isalnum((unsigned char)out->data[out->length - 1]) &&
				isalnum((unsigned char)*next))
				buf_puts(out, " ");
			p = next - 1;
			continue;
		}
		buf_add(out, p, 1);
		if (quote && *p == '\\' && p[1])
			buf_add(out, ++p, 1);
		else if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? '\0' : *p;
	}
}

static bool same_text(struct conf_work *work, const char *a, const char *b)
{
	struct buf first = { 0 }, second = { 0 };
	bool same;

	squeeze(&first, a);
	squeeze(&second, b);
	if (first.failed || second.failed)
		work->no_memory = true;
	same = first.data && second.data && strcmp(first.data, second.data) == 0;
	buf_free(&first);
	buf_free(&second);
	return same;
}

static bool has(const struct conf_strings *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], text) == 0)
			return true;
	return false;
}

/* In any order; no name is in a list twice. */
static bool same_list(const struct conf_strings *a, const struct conf_strings *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (!has(b, a->item[i]))
			return false;
	return a->count == b->count;
}

static void warn_of_same(struct conf_work *work, size_t nth)
{
	const struct conf_rule *r = &work->conf->rule[nth], *other = work->conf->rule;

	for (; other < r; other++) {
		if (other->disabled || other->action != r->action ||
			other->priority != r->priority || other->on != r->on ||
			other->fallback != r->fallback ||
			!same_list(&other->targets, &r->targets) ||
			!same_text(work, other->match, r->match))
			continue;
		CONF_REPORT(work, CONF_RULE, nth, "match",
			"warning: it is the same as rule \"%s\"; remove one", other->name);
		return;
	}
}

static void warn_of_rules(struct conf_work *work)
{
	struct conf *conf = work->conf;
	struct truths truths = { conf, calloc(conf->rule_count + 1, sizeof(*truths.rule)) };
	char why[256];

	if (!truths.rule) {
		work->no_memory = true;
		return;
	}
	for (size_t i = 0; i < conf->rule_count; i++) {
		*why = '\0';
		truths.rule[i] = truth_of(conf->rule[i].compiled, why, sizeof(why));
		if (!conf->rule[i].disabled)
			warn_of_truth(work, &truths, i, why);
	}
	for (size_t i = 0; i < conf->rule_count; i++) {
		if (conf->rule[i].disabled)
			continue;
		if (truths.rule[i] != NEVER)
			warn_of_others(work, &truths, i);
		warn_of_same(work, i);
	}
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

/* The files that a target names. What may not be looked at is the sender's to tell: it may run as another
 * user. */
static void warn_of_files(struct conf_work *work, size_t nth)
{
	static const struct {
		const char *key;
		bool secret;
	} files[] = {
		{ "password_file", true },
		{ "token_file", true },
		{ "key_file", true },
		{ "tls_key", true },
		{ "tls_cert", false },
		{ "tls_ca", false },
		{ "ca_file", false },
		{ "known_hosts", false },
	};
	struct stat st;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *path = conf_setting(&work->conf->target[nth], files[i].key);

		if (!path)
			continue;
		if (stat(path, &st) < 0) {
			if (errno == ENOENT || errno == ENOTDIR)
				CONF_REPORT(work, CONF_TARGET, nth, files[i].key,
					"warning: there is no file %s; make it", path);
		} else if (!S_ISREG(st.st_mode)) {
			CONF_REPORT(work, CONF_TARGET, nth, files[i].key,
				"warning: %s is no regular file; give the path of one", path);
		} else if (files[i].secret && st.st_mode & 077) {
			CONF_REPORT(work, CONF_TARGET, nth, files[i].key,
				"warning: others may read %s; chmod 600 %s", path, path);
		}
	}
}

void conf_warn(struct conf_work *work)
{
	warn_of_rules(work);
	for (size_t i = 0; i < work->conf->target_count; i++) {
		warn_of_unused(work, i);
		warn_of_files(work, i);
	}
	conf_work_print(work);
	conf_work_forget(work);
}
