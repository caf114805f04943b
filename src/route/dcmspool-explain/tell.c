#include "tell.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "decide/decide.h"
#include "spool/job.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "cli/show.h"
#include "spool/plan.h"
#include "spool/series.h"
#include "why.h"

enum { INDENT = 2 }; /* columns; why.c has those of expressions */

static void print(struct buf *line)
{
	show_line(line, INDENT);
}

/* " (urgent)", or nothing for the normal one. */
static void add_priority(struct buf *line, enum job_priority priority)
{
	const char *suffix = job_suffix(priority);

	if (*suffix)
		buf_printf(line, " (%s)", suffix + 1); /* without its point */
}

/* ---- the series
 * ------------------------------------------------------------------------------------- */

static void print_sender(const json_t *json)
{
	static const char *const names[] = { "SenderAET", "SenderAddress", "ReceiverAET" };
	const json_t *tags = series_tags(json);
	struct buf line = { 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		buf_printf(&line, "%s%s '", i ? ", " : "", names[i]);
		show_add(&line, jsonfile_text(tags, names[i]));
		buf_puts(&line, "'");
	}
	print(&line);
}

/* "a, b": the strings of an array. */
static void add_names(struct buf *line, const json_t *array)
{
	json_t *value;
	size_t i;

	json_array_foreach (array, i, value) {
		buf_puts(line, i ? ", " : "");
		show_add(line, json_is_string(value) ? json_string_value(value) : "?");
	}
}

/* What a router decided, by the configuration that it had. */
static void print_plan(const json_t *plan)
{
	const json_t *rules = plan_rules(plan);
	struct buf line = { 0 };

	if (!plan)
		return;
	buf_puts(&line, json_array_size(plan_targets(plan)) ? "routed to " : "discarded");
	add_names(&line, plan_targets(plan));
	if (json_array_size(rules)) {
		buf_puts(&line, " by ");
		add_names(&line, rules);
	} else {
		buf_puts(&line, ": no rule applied");
	}
	buf_puts(&line, " on ");
	show_add(&line, jsonfile_text(plan, "time"));
	print(&line);
}

static void print_series(
	const struct series *series, const struct decision *decision, const json_t *tags)
{
	struct buf line = { 0 };

	show_add(&line, series->path);
	show_whole(&line, 0);
	buf_printf(&line, "%s, %zu image%s, series ", series->kind, series->images.count,
		series->images.count == 1 ? "" : "s");
	show_add(&line, jsonfile_text(tags, "SeriesInstanceUID"));
	print(&line);
	buf_puts(&line, "first image ");
	show_add(&line, decision->first);
	buf_puts(&line, ", InstanceNumber '");
	show_add(&line, jsonfile_text(tags, "InstanceNumber"));
	buf_puts(&line, "'");
	print(&line);
	if (decision->damaged) {
		buf_puts(&line, "damaged, so without tags: ");
		show_add(&line, decision->damaged);
		print(&line);
	}
	print_sender(series->json);
	print_plan(series->plan);
	for (size_t i = 0; i < series->also.count; i++) {
		buf_puts(&line, "also in ");
		show_add(&line, series->also.name[i]);
		show_whole(&line, INDENT);
	}
}

/* ---- a rule
 * ----------------------------------------------------------------------------------------- */

/* The names of the targets that a rule has. */
static void add_targets(struct buf *line, const struct conf_rule *rule)
{
	for (size_t i = 0; i < rule->targets.count; i++)
		buf_printf(line, "%s%s", i ? ", " : "", rule->targets.item[i]);
	add_priority(line, rule->priority);
}

static void add_not_asked(
	struct buf *line, const struct conf *conf, const struct decision *decision, size_t r)
{
	buf_puts(line, "not asked: ");
	if (conf->rule[r].disabled) {
		buf_puts(line, "it is disabled");
		return;
	}
	if (decision->discarded_by) {
		buf_printf(line, "rule %s discards", decision->discarded_by->name);
		return;
	}
	for (size_t i = 0; i < conf->rule_count; i++)
		if (decision->rule[i].state == DECIDE_YES && !conf->rule[i].fallback) {
			buf_printf(
				line, "it is a fallback, and rule %s applies", conf->rule[i].name);
			return;
		}
}

static void print_verdict(const struct conf *conf, const struct decision *decision, size_t r)
{
	const struct conf_rule *rule = &conf->rule[r];
	const struct decision_rule *said = &decision->rule[r];
	struct buf line = { 0 };

	buf_printf(&line, "rule %s%s%s: ", rule->name, rule->fallback ? " (fallback)" : "",
		rule->on == CONF_ON_ANY ? " (any image)" : "");
	switch (said->state) {
	case DECIDE_NOT_ASKED:
		add_not_asked(&line, conf, decision, r);
		break;
	case DECIDE_NO:
		buf_puts(&line, "does not apply");
		break;
	case DECIDE_FAILED:
		buf_puts(&line, "fails, so it does not apply");
		break;
	case DECIDE_YES:
		buf_puts(&line,
			rule->action == CONF_DISCARD ? "applies and discards" : "applies -> ");
		add_targets(&line, rule);
		break;
	}
	print(&line);
	if (*rule->contact) {
		buf_puts(&line, "contact: ");
		show_add(&line, rule->contact);
		show_line(&line, 2 * INDENT);
	}
	if (rule->on == CONF_ON_ANY && said->image) {
		buf_puts(&line, said->state == DECIDE_NO ? "for no image; the last is "
							 : "because of image ");
		show_add(&line, said->image);
		buf_puts(&line, ":");
		show_line(&line, 2 * INDENT);
	}
}

static int print_rule(const struct conf *conf, const struct series *series,
	const struct decision *decision, const json_t *first, size_t r)
{
	const struct decision_rule *said = &decision->rule[r];
	json_t *tags = NULL;
	int result = -1;

	print_verdict(conf, decision, r);
	if (said->state == DECIDE_NOT_ASKED)
		return 0;
	if (!said->image || strcmp(said->image, decision->first) == 0)
		return why_print(&conf->rule[r], said->why, first);
	tags = decide_tags(series->dir, said->image, series->json);
	if (tags)
		result = why_print(&conf->rule[r], said->why, tags);
	json_decref(tags);
	return result;
}

/* ---- all of it
 * -------------------------------------------------------------------------------------- */

static void print_outcome(const struct decision *decision)
{
	struct buf line = { 0 };

	buf_puts(&line, "=> ");
	for (size_t i = 0; i < decision->target_count; i++) {
		buf_printf(&line, "%s%s", i ? ", " : "", decision->target[i].name);
		add_priority(&line, decision->target[i].priority);
	}
	if (decision->discarded_by)
		buf_printf(&line, "discard, because of rule %s", decision->discarded_by->name);
	else if (decision->target_count == 0)
		buf_puts(&line, "discard, because no rule applies");
	print(&line);
}

static int print_all(
	const struct conf *conf, const struct series *series, const struct decision *decision)
{
	json_t *tags = decide_tags(series->dir, decision->first, series->json);
	int result = tags ? 0 : -1;

	if (tags)
		print_series(series, decision, tags);
	for (size_t r = 0; r < conf->rule_count && result == 0; r++)
		result = print_rule(conf, series, decision, tags, r);
	if (result == 0)
		print_outcome(decision);
	json_decref(tags);
	return result;
}

int tell(const struct conf *conf, const struct series *series)
{
	static bool before;
	struct decision decision;
	int code = EXIT_TEMPORARY;

	if (before)
		(void)putchar('\n'); /* show_close() sees a failure */
	before = true;
	if (decide(conf, series->dir, series->images.name, series->images.count, series->json,
		    &decision) == 0 &&
		print_all(conf, series, &decision) == 0)
		code = decision.target_count ? 0 : 1;
	else
		log_error("unable to decide about %s: %s: %s", series->path,
			decision.unreadable ? decision.unreadable : "its images", strerror(errno));
	decide_free(conf, &decision);
	return code;
}
