/*
 * never: finds rules that can never apply, whatever the tags are, without evaluating them.
 *
 * For each node: which types its value can have, and whether that can be true or false. A tag is
 * always text. What is not known is taken to be possible, so what is found is certain.
 */
#include "rule/never.h"

#include <stdio.h>
#include <string.h>

#include "rule/call.h"
#include "rule/run.h"
#include "rule/text.h"
#include "rule/tree.h"

enum { TEXT = 1 << RULE_STR };

enum { PART_BYTES = 60 }; /* of a rule in a message */

/* What a value can be. Neither true nor false: its evaluation always fails. */
struct guess {
	unsigned types; /* 1 << enum rule_type */
	bool can_true, can_false;
	unsigned items;      /* of a list and its like that is written down: their types */
	const char *without; /* ASCII letters that a text does not have, or NULL */
	const struct rule_node *reason; /* when it is not both: the part that decides, and why */
	const char *why;
};

static const char small[] = "abcdefghijklmnopqrstuvwxyz", large[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static struct guess guess(const struct rule_node *node);

static struct guess either(unsigned types)
{
	return (struct guess){ .types = types, .can_true = true, .can_false = true };
}

static struct guess always(const struct rule_node *node, bool truth, const char *why)
{
	return (struct guess){ .types = 1 << RULE_BOOL,
		.can_true = truth,
		.can_false = !truth,
		.reason = node,
		.why = why };
}

static struct guess fails(const struct rule_node *node, const char *why)
{
	return (struct guess){ .reason = node, .why = why };
}

static bool failing(const struct guess *g)
{
	return !g->can_true && !g->can_false;
}

/* ---- what is known without any tag ---- */

static bool is_constant(const struct rule_node *node)
{
	for (const struct rule_node *kid = node->first; kid; kid = kid->next)
		if (!is_constant(kid))
			return false;
	return node->type != NODE_TAG;
}

static const char *no_tag(const void *context, const char *name)
{
	(void)context; /* never called */
	(void)name;
	return "";
}

static struct guess guess_constant(const struct rule_node *node)
{
	char why[RULE_WHY];
	const struct rule part = { .root = (struct rule_node *)node };
	struct rule_run run = rule_run_begin(no_tag, NULL, why, sizeof(why));
	struct rule_value value;
	struct guess g = fails(node, "it always fails");

	if (rule_run_root(&run, &part, &value)) {
		g = always(node, rule_truth(&value),
			rule_truth(&value) ? "it is always true" : "it is always false");
		g.types = 1U << value.type;
	}
	rule_pool_free(&run.pool);
	return g;
}

/* ---- texts ---- */

static bool is_text(const struct rule_node *node)
{
	return node->type == NODE_CONSTANT && node->constant.type == RULE_STR;
}

/* A literal text, or list or tuple of them, each of which has one of the letters. */
static bool needs(const struct rule_node *node, const char *letters)
{
	if (!letters)
		return false;
	if (is_text(node)) {
		for (size_t i = 0; i < node->constant.str.length; i++)
			if (node->constant.str.data[i] &&
				strchr(letters, node->constant.str.data[i]))
				return true;
		return false;
	}
	if (!rule_node_is_display(node) || node->type == NODE_DICT)
		return false;
	for (const struct rule_node *kid = node->first; kid; kid = kid->next)
		if (!is_text(kid) || !needs(kid, letters))
			return false;
	return true;
}

static const char *why_without(const char *letters)
{
	return letters == small ? "upper() leaves no small letter"
				: "lower() and casefold() leave no capital letter";
}

/* ---- calls ---- */

static struct guess guess_method(const struct rule_node *node, const struct guess *object)
{
	const char *name = node->function->name;
	struct guess g = either(node->function->types);

	if (!(object->types & node->function->of))
		return fails(
			node, node->function->of == TEXT
				      ? "it always fails: only texts have this method"
				      : "it always fails: values of this type have no such method");
	if (strcmp(name, "lower") == 0 || strcmp(name, "casefold") == 0)
		g.without = large;
	else if (strcmp(name, "upper") == 0)
		g.without = small;
	else if (strstr(name, "strip"))
		g.without = object->without;
	else if ((strcmp(name, "startswith") == 0 || strcmp(name, "endswith") == 0) &&
		 needs(node->first->next, object->without))
		return always(node, false, why_without(object->without));
	return g;
}

/* Calls, subscripts, arithmetic, lists: what fails in an operand fails. */
static struct guess guess_operands(const struct rule_node *node)
{
	struct guess first = { 0 }, g;
	unsigned items = 0;

	for (const struct rule_node *kid = node->first; kid; kid = kid->next) {
		g = guess(kid);
		if (failing(&g))
			return g;
		items |= g.types;
		if (kid == node->first)
			first = g;
	}
	switch (node->type) {
	case NODE_LIST: /* an empty one is constant */
	case NODE_TUPLE:
	case NODE_SET:
	case NODE_DICT:
		g = always(node, true, "it is always true");
		g.types = 1U << (node->type == NODE_LIST     ? RULE_LIST
				  : node->type == NODE_TUPLE ? RULE_TUPLE
				  : node->type == NODE_SET   ? RULE_SET
							     : RULE_DICT);
		g.items = items;
		return g;
	case NODE_METHOD:
		return guess_method(node, &first);
	case NODE_FUNCTION:
		return either(node->function->types);
	case NODE_INDEX:
	case NODE_SLICE:
		g = either(first.types == TEXT ? TEXT : RULE_TYPES_ANY);
		g.without = first.without;
		return g;
	default:
		return either(RULE_TYPES_ANY);
	}
}

/* ---- comparisons ---- */

/* Whether values of these types can be equal, or have an order. */
static bool comparable(unsigned a, unsigned b, bool order)
{
	return (a & RULE_TYPES_NUMBER && b & RULE_TYPES_NUMBER) ||
	       (a & b & ~(unsigned)(order ? 1 << RULE_NONE : 0));
}

static bool text_and_number(const struct guess *a, const struct guess *b)
{
	return (a->types == TEXT && !(b->types & ~(unsigned)RULE_TYPES_NUMBER)) ||
	       (b->types == TEXT && !(a->types & ~(unsigned)RULE_TYPES_NUMBER));
}

static struct guess equals(
	const struct rule_node *node, const struct guess *left, const struct guess *right)
{
	if (text_and_number(left, right))
		return always(node, false,
			"a text never equals a number; put the text into float(), or the number "
			"into quotes");
	if (!comparable(left->types, right->types, false))
		return always(node, false, "values of these types are never equal");
	return either(1 << RULE_BOOL);
}

static struct guess is_in(const struct rule_node *node, const struct rule_node *kid,
	const struct guess *left, const struct guess *right)
{
	if (right->types == TEXT && !(left->types & TEXT))
		return fails(node, "it always fails: only a text can be in a text");
	if (!(right->types & RULE_TYPES_ITERABLE))
		return fails(node, "it always fails: nothing can be in a number or None");
	if (!rule_node_is_display(kid))
		return either(1 << RULE_BOOL);
	if (!kid->first)
		return always(node, false, "nothing is in an empty list");
	if (!comparable(left->types, right->items, false))
		return always(node, false, "no item of the list has its type");
	return either(1 << RULE_BOOL);
}

/* before op kid, without the "not" of op. */
static struct guess guess_pair(const struct rule_node *node, const struct rule_node *before,
	const struct rule_node *kid, const struct guess *left, const struct guess *right)
{
	switch (kid->compare) {
	case RULE_EQ:
	case RULE_NE:
		if (needs(kid, left->without) && is_text(kid))
			return always(node, false, why_without(left->without));
		if (needs(before, right->without) && is_text(before))
			return always(node, false, why_without(right->without));
		return equals(node, left, right);
	case RULE_IS:
	case RULE_IS_NOT:
		return left->types & right->types
			       ? either(1 << RULE_BOOL)
			       : always(node, false,
					 "it is never that; a tag that is absent is ''");
	case RULE_IN:
	case RULE_NOT_IN:
		if (kid->first && needs(kid, left->without))
			return always(node, false, why_without(left->without));
		if (is_text(before) && right->types == TEXT && needs(before, right->without))
			return always(node, false, why_without(right->without));
		return is_in(node, kid, left, right);
	default:
		if (text_and_number(left, right))
			return fails(node,
				"it always fails: a text has no order with a number; put the text "
				"into float()");
		return comparable(left->types, right->types, true)
			       ? either(1 << RULE_BOOL)
			       : fails(node,
					 "it always fails: values of these types have no order");
	}
}

static struct guess negate(struct guess g)
{
	bool was = g.can_true;

	g.can_true = g.can_false;
	g.can_false = was;
	return g;
}

static struct guess guess_compare(const struct rule_node *node)
{
	const bool chain = node->kid_count > 2;
	const struct rule_node *before = node->first;
	struct guess left = guess(before), right, pair = left;

	if (failing(&left))
		return left;
	for (const struct rule_node *kid = before->next; kid; kid = kid->next) {
		right = guess(kid);
		if (failing(&right) && !chain)
			return right;
		pair = guess_pair(node, before, kid, &left, &right);
		if (kid->compare == RULE_NE || kid->compare == RULE_NOT_IN ||
			kid->compare == RULE_IS_NOT)
			pair = negate(pair);
		if (chain && !pair.can_true) /* or one before it was false already */
			return always(node, false, pair.why);
		before = kid;
		left = right;
	}
	return chain ? either(1 << RULE_BOOL) : pair;
}

/* ---- logic ---- */

/* What a later operand does counts only where those before it did not decide. */
static struct guess guess_logic(const struct rule_node *node)
{
	const bool is_or = node->type == NODE_OR;
	struct guess all = { 0 };
	bool decides = false;

	for (const struct rule_node *kid = node->first; kid && !decides; kid = kid->next) {
		struct guess g = guess(kid);

		decides = is_or ? !g.can_false : !g.can_true;
		if (decides || !all.why) {
			all.reason = g.reason;
			all.why = g.why;
		}
		all.types |= g.types;
		all.can_true |= g.can_true && (is_or || !kid->next);
		all.can_false |= g.can_false && (!is_or || !kid->next);
	}
	return all;
}

static struct guess guess_conditional(const struct rule_node *node)
{
	struct guess condition = guess(node->first), then = guess(node->first->next),
		     otherwise = guess(node->last), both;

	if (failing(&condition))
		return condition;
	if (!condition.can_false)
		return then;
	if (!condition.can_true)
		return otherwise;
	both = then;
	both.types |= otherwise.types;
	both.can_true |= otherwise.can_true;
	both.can_false |= otherwise.can_false;
	both.without = then.without == otherwise.without ? then.without : NULL;
	return both;
}

static struct guess guess_not(const struct rule_node *node)
{
	struct guess g = negate(guess(node->first));

	g.types = 1 << RULE_BOOL;
	g.without = NULL;
	return g;
}

static struct guess guess(const struct rule_node *node)
{
	if (is_constant(node) && !(rule_node_is_display(node) && node->first))
		return guess_constant(node);
	switch (node->type) {
	case NODE_TAG:
		return either(TEXT);
	case NODE_AND:
	case NODE_OR:
		return guess_logic(node);
	case NODE_NOT:
		return guess_not(node);
	case NODE_COMPARE:
		return guess_compare(node);
	case NODE_CONDITIONAL:
		return guess_conditional(node);
	default:
		return guess_operands(node);
	}
}

bool rule_never(const struct rule *rule, char *why, size_t size)
{
	const struct guess g = guess(rule->root);
	int shown;

	if (g.can_true)
		return false;
	if (g.reason == rule->root) {
		rule_message(why, size, "%s", g.why);
		return true;
	}
	shown = g.reason->length > PART_BYTES ? PART_BYTES : (int)g.reason->length;
	while (shown > 0 && ((unsigned char)g.reason->text[shown] & 0xc0) == 0x80)
		shown--;
	rule_message(why, size, "%.*s%s: %s", shown, g.reason->text,
		(size_t)shown < g.reason->length ? "..." : "", g.why);
	return true;
}
