/*
 * call: functions and methods.
 */
#ifndef RULE_CALL_H
#define RULE_CALL_H

#include "rule/value.h"

/* Of a method, argument[0] is the object. */
typedef bool rule_call_fn(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out);

struct rule_function {
	const char *name;
	size_t min, max; /* arguments, without the object */
	/* Of a method: the types that have it, as 1 << enum rule_type. Of a function 0, or
	 * 1 << RULE_PATTERN when the first argument is one. */
	unsigned of;
	rule_call_fn *call;
	unsigned types; /* that its value can have */
};

/* NULL when there is none; the name has length bytes. */
const struct rule_function *rule_function_find(const char *name, size_t length);
const struct rule_function *rule_method_find(const char *name, size_t length);
/* Calls a method of any value. */
bool rule_call_method(struct rule_run *run, const struct rule_function *method,
	const struct rule_value *argument, size_t count, struct rule_value *out);
rule_call_fn rule_function_abs, rule_function_round, rule_function_sum;
rule_call_fn rule_function_min, rule_function_max, rule_function_sorted;
rule_call_fn rule_function_any, rule_function_all, rule_function_ord, rule_function_chr;
rule_call_fn rule_function_search, rule_function_match, rule_function_any_of;
rule_call_fn rule_function_date, rule_function_time, rule_function_age;
rule_call_fn rule_method_lower, rule_method_upper, rule_method_casefold, rule_method_title;
rule_call_fn rule_method_capitalize, rule_method_isspace;
rule_call_fn rule_method_isalpha, rule_method_isalnum, rule_method_isdigit;
rule_call_fn rule_method_isupper, rule_method_islower;
rule_call_fn rule_method_startswith, rule_method_endswith, rule_method_find_text, rule_method_index;
rule_call_fn rule_method_count;
rule_call_fn rule_method_replace, rule_method_split;
rule_call_fn rule_method_strip, rule_method_lstrip, rule_method_rstrip, rule_method_zfill;
rule_call_fn rule_method_ljust, rule_method_rjust, rule_method_rfind;
rule_call_fn rule_method_removeprefix, rule_method_removesuffix;
rule_call_fn rule_method_rsplit, rule_method_partition, rule_method_splitlines, rule_method_join;
rule_call_fn rule_function_list, rule_function_tuple, rule_function_set, rule_function_dict;
rule_call_fn rule_method_get, rule_method_keys, rule_method_values, rule_method_items;
rule_call_fn rule_function_floor, rule_function_ceil, rule_function_trunc, rule_function_sqrt;
rule_call_fn rule_function_log10, rule_function_pow, rule_function_divmod;
rule_call_fn rule_function_format, rule_method_format;

#endif
