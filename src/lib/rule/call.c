/*
 * call: the functions and methods: one row each, with what it gives.
 */
#include "rule/call.h"

#include <string.h>

#include "rule/run.h"
#include "rule/text.h"

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
	else if (rule_has_items(argument))
		*out = rule_int(
			(int64_t)argument->items.count / (argument->type == RULE_DICT ? 2 : 1));
	else
		return rule_raise(run, "TypeError: object of type '%s' has no len()",
			rule_type_name(argument));
	return true;
}

/* A nameless row ends the table. */
static const struct rule_function functions[] = {
	{ "int", 0, 1, 0, call_int, RULE_TYPES_NUMBER },
	{ "float", 0, 1, 0, call_float, RULE_TYPES_NUMBER },
	{ "str", 0, 1, 0, call_str, 1 << RULE_STR },
	{ "bool", 0, 1, 0, call_bool, 1 << RULE_BOOL },
	{ "len", 1, 1, 0, call_len, RULE_TYPES_NUMBER },
	{ "abs", 1, 1, 0, rule_function_abs, RULE_TYPES_NUMBER },
	{ "min", 1, RULE_MAX_ARGUMENTS, 0, rule_function_min, RULE_TYPES_ANY },
	{ "max", 1, RULE_MAX_ARGUMENTS, 0, rule_function_max, RULE_TYPES_ANY },
	{ "round", 1, 2, 0, rule_function_round, RULE_TYPES_NUMBER },
	{ "any", 1, 1, 0, rule_function_any, 1 << RULE_BOOL },
	{ "all", 1, 1, 0, rule_function_all, 1 << RULE_BOOL },
	{ "sum", 1, 2, 0, rule_function_sum, RULE_TYPES_ANY },
	{ "sorted", 1, 1, 0, rule_function_sorted, 1 << RULE_LIST },
	{ "list", 0, 1, 0, rule_function_list, 1 << RULE_LIST },
	{ "tuple", 0, 1, 0, rule_function_tuple, 1 << RULE_TUPLE },
	{ "set", 0, 1, 0, rule_function_set, 1 << RULE_SET },
	{ "dict", 0, 1, 0, rule_function_dict, 1 << RULE_DICT },
	{ "floor", 1, 1, 0, rule_function_floor, RULE_TYPES_NUMBER },
	{ "ceil", 1, 1, 0, rule_function_ceil, RULE_TYPES_NUMBER },
	{ "trunc", 1, 1, 0, rule_function_trunc, RULE_TYPES_NUMBER },
	{ "sqrt", 1, 1, 0, rule_function_sqrt, RULE_TYPES_NUMBER },
	{ "log10", 1, 1, 0, rule_function_log10, RULE_TYPES_NUMBER },
	{ "pow", 2, 2, 0, rule_function_pow, RULE_TYPES_NUMBER },
	{ "divmod", 2, 2, 0, rule_function_divmod, 1 << RULE_TUPLE },
	{ "format", 1, 2, 0, rule_function_format, 1 << RULE_STR },
	{ "ord", 1, 1, 0, rule_function_ord, RULE_TYPES_NUMBER },
	{ "chr", 1, 1, 0, rule_function_chr, 1 << RULE_STR },
	{ "search", 2, 2, 1 << RULE_PATTERN, rule_function_search, 1 << RULE_BOOL },
	{ "match", 2, 2, 1 << RULE_PATTERN, rule_function_match, 1 << RULE_BOOL },
	{ "date", 1, 1, 0, rule_function_date, RULE_TYPES_NUMBER },
	{ "time", 1, 1, 0, rule_function_time, RULE_TYPES_NUMBER },
	{ "age", 1, 2, 0, rule_function_age, RULE_TYPES_NUMBER },
	{ "any_of", 2, 2, 0, rule_function_any_of, 1 << RULE_BOOL },
	{ 0 },
};

/* argument[0] is the object. */
static const struct rule_function methods[] = {
	{ "lower", 0, 0, 1 << RULE_STR, rule_method_lower, 1 << RULE_STR },
	{ "upper", 0, 0, 1 << RULE_STR, rule_method_upper, 1 << RULE_STR },
	{ "casefold", 0, 0, 1 << RULE_STR, rule_method_casefold, 1 << RULE_STR },
	{ "title", 0, 0, 1 << RULE_STR, rule_method_title, 1 << RULE_STR },
	{ "capitalize", 0, 0, 1 << RULE_STR, rule_method_capitalize, 1 << RULE_STR },
	{ "isalpha", 0, 0, 1 << RULE_STR, rule_method_isalpha, 1 << RULE_BOOL },
	{ "isalnum", 0, 0, 1 << RULE_STR, rule_method_isalnum, 1 << RULE_BOOL },
	{ "isdigit", 0, 0, 1 << RULE_STR, rule_method_isdigit, 1 << RULE_BOOL },
	{ "isspace", 0, 0, 1 << RULE_STR, rule_method_isspace, 1 << RULE_BOOL },
	{ "isupper", 0, 0, 1 << RULE_STR, rule_method_isupper, 1 << RULE_BOOL },
	{ "islower", 0, 0, 1 << RULE_STR, rule_method_islower, 1 << RULE_BOOL },
	{ "strip", 0, 1, 1 << RULE_STR, rule_method_strip, 1 << RULE_STR },
	{ "lstrip", 0, 1, 1 << RULE_STR, rule_method_lstrip, 1 << RULE_STR },
	{ "rstrip", 0, 1, 1 << RULE_STR, rule_method_rstrip, 1 << RULE_STR },
	{ "zfill", 1, 1, 1 << RULE_STR, rule_method_zfill, 1 << RULE_STR },
	{ "ljust", 1, 2, 1 << RULE_STR, rule_method_ljust, 1 << RULE_STR },
	{ "rjust", 1, 2, 1 << RULE_STR, rule_method_rjust, 1 << RULE_STR },
	{ "removeprefix", 1, 1, 1 << RULE_STR, rule_method_removeprefix, 1 << RULE_STR },
	{ "removesuffix", 1, 1, 1 << RULE_STR, rule_method_removesuffix, 1 << RULE_STR },
	{ "startswith", 1, 3, 1 << RULE_STR, rule_method_startswith, 1 << RULE_BOOL },
	{ "endswith", 1, 3, 1 << RULE_STR, rule_method_endswith, 1 << RULE_BOOL },
	{ "find", 1, 3, 1 << RULE_STR, rule_method_find_text, RULE_TYPES_NUMBER },
	{ "rfind", 1, 3, 1 << RULE_STR, rule_method_rfind, RULE_TYPES_NUMBER },
	{ "index", 1, 3, RULE_TYPES_SEQUENCE, rule_method_index, RULE_TYPES_NUMBER },
	{ "count", 1, 3, RULE_TYPES_SEQUENCE, rule_method_count, RULE_TYPES_NUMBER },
	{ "replace", 2, 3, 1 << RULE_STR, rule_method_replace, 1 << RULE_STR },
	{ "split", 0, 2, 1 << RULE_STR, rule_method_split, 1 << RULE_LIST },
	{ "rsplit", 0, 2, 1 << RULE_STR, rule_method_rsplit, 1 << RULE_LIST },
	{ "partition", 1, 1, 1 << RULE_STR, rule_method_partition, 1 << RULE_TUPLE },
	{ "splitlines", 0, 1, 1 << RULE_STR, rule_method_splitlines, 1 << RULE_LIST },
	{ "join", 1, 1, 1 << RULE_STR, rule_method_join, 1 << RULE_STR },
	{ "format", 0, RULE_MAX_ARGUMENTS, 1 << RULE_STR, rule_method_format, 1 << RULE_STR },
	{ "get", 1, 2, 1 << RULE_DICT, rule_method_get, RULE_TYPES_ANY },
	{ "keys", 0, 0, 1 << RULE_DICT, rule_method_keys, 1 << RULE_LIST },
	{ "values", 0, 0, 1 << RULE_DICT, rule_method_values, 1 << RULE_LIST },
	{ "items", 0, 0, 1 << RULE_DICT, rule_method_items, 1 << RULE_LIST },
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
	return find(methods, name, length);
}

bool rule_call_method(struct rule_run *run, const struct rule_function *method,
	const struct rule_value *argument, size_t count, struct rule_value *out)
{
	if (method->of & 1U << argument->type)
		return method->call(run, argument, count, out);
	return rule_raise(run, "AttributeError: '%s' object has no attribute '%s'",
		rule_type_name(argument), method->name);
}
