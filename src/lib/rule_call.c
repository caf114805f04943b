/*
 * rule_call: the functions, and finding functions and methods by name.
 */
#include "rule_internal.h"

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
	{ "int", 0, 1, call_int },
	{ "float", 0, 1, call_float },
	{ "str", 0, 1, call_str },
	{ "bool", 0, 1, call_bool },
	{ "len", 1, 1, call_len },
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

/* The one method that lists and tuples share with str. */
static bool count_item(
	struct rule_run *run, const struct rule_value *argument, struct rule_value *out)
{
	int64_t n = 0;
	bool equal;

	for (size_t i = 0; i < argument->items.count; i++) {
		if (!rule_equal(run, &argument->items.item[i], &argument[1], &equal))
			return false;
		n += equal;
	}
	*out = rule_int(n);
	return true;
}

bool rule_call_method(struct rule_run *run, const struct rule_function *method,
	const struct rule_value *argument, size_t count, struct rule_value *out)
{
	if (argument->type == RULE_STR)
		return method->call(run, argument, count, out);
	if (rule_is_items(argument) && strcmp(method->name, "count") == 0)
		return count_item(run, argument, out);
	return rule_raise(run, "AttributeError: '%s' object has no attribute '%s'",
		rule_type_name(argument), method->name);
}
