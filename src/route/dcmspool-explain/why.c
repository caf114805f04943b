#include "why.h"

#include <errno.h>
#include <string.h>

#include "decide/decide.h"
#include "rule/explain.h"
#include "cli/show.h"

/* Columns: of truth, and of what is true; more for each level below. */
enum { MARGIN = 4, EXPRESSION = 11, STEP = 2 };

static const char *gutter(const struct rule_part *part)
{
	switch (part->state) {
	case RULE_PART_VALUE:
		return strcmp(part->value, "True") == 0    ? "True"
		       : strcmp(part->value, "False") == 0 ? "False"
							   : "";
	case RULE_PART_SKIPPED:
		return "-";
	case RULE_PART_FAILED:
		return "fails";
	default:
		return part->skipped ? "-" : "";
	}
}

static bool has_operands(const struct rule_explanation *e, size_t i)
{
	return i + 1 < e->count && e->part[i + 1].depth > e->part[i].depth;
}

/* A tag that the rule asks for again and again; its value does not change. */
static bool was_told(const struct rule_explanation *e, size_t i)
{
	const struct rule_part *part = &e->part[i];

	if (part->state != RULE_PART_VALUE || *gutter(part) || has_operands(e, i))
		return false;
	for (size_t k = 0; k < i; k++)
		if (e->part[k].state == RULE_PART_VALUE && !has_operands(e, k) &&
			strcmp(e->part[k].text, part->text) == 0)
			return true;
	return false;
}

static void print_part(const struct rule_explanation *e, size_t i)
{
	const struct rule_part *part = &e->part[i];
	const bool inner = part->depth > 0 && has_operands(e, i);
	struct buf line = { 0 };
	bool complete = false;

	if (part->state == RULE_PART_MORE)
		buf_printf(&line, "... %zu more", part->count);
	else
		show_add(&line, part->text);
	if (part->value && !*gutter(part)) {
		buf_puts(&line, " = ");
		show_add(&line, part->value);
		complete = true;
	}
	if (part->raised) {
		buf_puts(&line, ": ");
		show_add(&line, e->why);
		complete = true;
	}
	/* The text of one with operands can be cut: they follow. */
	show_labelled(
		&line, gutter(part), MARGIN, EXPRESSION + STEP * part->depth, inner && !complete);
}

/* A very large rule is not told to the end. */
static void print_rest(const struct rule_explanation *e)
{
	struct buf line = { 0 };

	if (!e->cut)
		return;
	buf_puts(&line, "...");
	if (e->result == RULE_FAILED) {
		buf_puts(&line, " ");
		show_add(&line, e->why);
	}
	show_line(&line, EXPRESSION);
}

int why_print(const struct conf_rule *rule, const char *why, const json_t *tags)
{
	struct buf line = { 0 };

	struct rule_explanation e;

	if (rule_explain(rule->compiled, decide_tag, tags, &e) < 0) {
		rule_explanation_free(&e);
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = 0; i < e.count; i++)
		if (!was_told(&e, i))
			print_part(&e, i);
	print_rest(&e);
	if (why && e.result != RULE_FAILED) {
		show_add(&line, why);
		show_line(&line, EXPRESSION);
	}
	rule_explanation_free(&e);
	return 0;
}
