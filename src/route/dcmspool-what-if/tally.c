#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/show.h"
#include "spool/plan.h"

static struct tally_rule *add_rule(struct tally *tally, const char *name)
{
	struct tally_rule *more = realloc(tally->rule, (tally->count + 1) * sizeof(*tally->rule));

	if (!more)
		die(EXIT_TEMPORARY, "unable to count: out of memory");
	tally->rule = more;
	more = &tally->rule[tally->count++];
	*more = (struct tally_rule){ .name = strdup(name) };
	if (!more->name)
		die(EXIT_TEMPORARY, "unable to count: out of memory");
	return more;
}

void tally_open(struct tally *tally, const struct conf *conf)
{
	*tally = (struct tally){ 0 };
	for (size_t i = 0; i < conf->rule_count; i++)
		(void)add_rule(tally, conf->rule[i].name); /* dies without memory */
}

static struct tally_rule *find(struct tally *tally, const char *name)
{
	for (size_t i = 0; i < tally->count; i++)
		if (strcmp(tally->rule[i].name, name) == 0)
			return &tally->rule[i];
	return add_rule(tally, name);
}

void tally_add(struct tally *tally, const struct conf *conf, const json_t *plan,
	const struct decision *decision)
{
	const json_t *rules = plan_rules(plan);
	bool anybody = false;
	json_t *value;
	size_t i;

	json_array_foreach (rules, i, value) {
		if (json_is_string(value))
			find(tally, json_string_value(value))->before++;
	}
	tally->nobody_before += json_array_size(rules) == 0;
	for (i = 0; i < conf->rule_count; i++) {
		tally->rule[i].now += decision->rule[i].state == DECIDE_YES;
		tally->rule[i].failed += decision->rule[i].state == DECIDE_FAILED;
		anybody |= decision->rule[i].state == DECIDE_YES;
	}
	tally->nobody_now += !anybody;
}

static void print_row(const char *name, size_t before, size_t now, size_t failed)
{
	struct buf row = { 0 };

	buf_printf(&row, "%8zu %8zu %8zu  ", before, now, failed);
	show_add(&row, name);
	show_whole(&row, 0);
}

void tally_print(const struct tally *tally)
{
	(void)printf("%8s %8s %8s  %s\n", "before", "now", "fails", "rule"); /* show_close() sees */
	for (size_t i = 0; i < tally->count; i++)
		print_row(tally->rule[i].name, tally->rule[i].before, tally->rule[i].now,
			tally->rule[i].failed);
	print_row("(none applies)", tally->nobody_before, tally->nobody_now, 0);
}

void tally_free(struct tally *tally)
{
	for (size_t i = 0; i < tally->count; i++)
		free(tally->rule[i].name);
	free(tally->rule);
	*tally = (struct tally){ 0 };
}
