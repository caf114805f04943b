/*
 * call: the functions, and finding functions and methods by name.
 */
#include "rule/internal.h"

#include <string.h>

static bool call_int(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	*out = rule_int(0);
	return count == 0 || rule_to_int(run, argument, out);
}

static bool call_float(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	*out = rule_float(0);
	return count == 0 || rule_to_float(run, argument, out);
}

static bool call_str(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	*out = rule_str("", 0);
	return count == 0 || rule_to_str(run, argument, out);
}

static bool call_bool(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)run; /* nothing can fail */
	*out = rule_bool(count != 0 && rule_truth(argument));
	return true;
}

static bool call_len(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 1 */
	if (argument->type == RULE_STR)
		*out = rule_int((int64_t)rule_utf8_count(argument->str));
	else if (rule_is_items(argument))
		*out = rule_int((int64_t)argument->items.count);
	else
		return rule_raise(run, "TypeError: object of type '%s' has no len()",
			rule_type_name(argument));
	return true;
}

static const struct rule_function functions[] = {
	{ "int", 0, 1, call_int, false },
	{ "float", 0, 1, call_float, false },
	{ "str", 0, 1, call_str, false },
	{ "bool", 0, 1, call_bool, false },
	{ "len", 1, 1, call_len, false },
	{ "abs", 1, 1, rule_function_abs, false },
	{ "min", 1, RULE_MAX_ARGUMENTS, rule_function_min, false },
	{ "max", 1, RULE_MAX_ARGUMENTS, rule_function_max, false },
	{ "round", 1, 2, rule_function_round, false },
	{ "any", 1, 1, rule_function_any, false },
	{ "all", 1, 1, rule_function_all, false },
	{ "sum", 1, 2, rule_function_sum, false },
	{ "sorted", 1, 1, rule_function_sorted, false },
	{ "ord", 1, 1, rule_function_ord, false },
	{ "chr", 1, 1, rule_function_chr, false },
	{ "search", 2, 2, rule_function_search, true },
	{ "match", 2, 2, rule_function_match, true },
	{ "date", 1, 1, rule_function_date, false },
	{ "time", 1, 1, rule_function_time, false },
	{ "age", 1, 2, rule_function_age, false },
	{ "any_of", 2, 2, rule_function_any_of, false },
	{ 0 },
};

static const struct rule_function *find(
	const struct rule_function *table, const char *name, size_t length)
{
	for (; table->name; table++)
		if (strlen(table->name) == length && memcmp(table->name, name, length) == 0)
			return table;
	return NULL;
}

const struct rule_function *rule_function_find(const char *name, size_t length)
{
	return find(functions, name, length);
}

const struct rule_function *rule_method_find(const char *name, size_t length)
{
	return find(rule_text_methods, name, length);
}

bool rule_call_method(struct rule_run *run, const struct rule_function *method,
	const struct rule_value *argument, size_t count, struct rule_value *out)
{
	/* Two methods are those of lists and tuples as well. */
	if (argument->type == RULE_STR ||
		(rule_is_items(argument) &&
			(method->call == rule_method_count || method->call == rule_method_index)))
		return method->call(run, argument, count, out);
	return rule_raise(run, "AttributeError: '%s' object has no attribute '%s'",
		rule_type_name(argument), method->name);
}
