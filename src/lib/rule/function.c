/*
 * function: functions of one value: abs() round() ord() chr().
 */
#include "rule/internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum {
	PLACES_MAX = 323,    /* a float has no digits that further places would cut off */
	EXACT_DIGITS = 766,  /* behind the first: with these every float is written exactly */
	INT_PLACES_MAX = 19, /* 10^19 / 2 is the last that an int can reach */
};

bool rule_function_abs(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 1 */
	if (!rule_is_number(argument))
		return rule_raise(run, "TypeError: bad operand type for abs(): '%s'",
			rule_type_name(argument));
	if (argument->type == RULE_FLOAT)
		*out = rule_float(fabs(argument->real));
	else if (argument->integer == INT64_MIN)
		return rule_raise_overflow(run);
	else
		*out = rule_int(argument->integer < 0 ? -argument->integer : argument->integer);
	return true;
}

/* To the nearest multiple of 10^places, of two to the even one. */
static bool round_int(struct rule_run *run, int64_t n, int64_t places, struct rule_value *out)
{
	const wide size = n < 0 ? -(wide)n : (wide)n;
	wide unit = 1, multiple, rest;

	*out = rule_int(n);
	if (places <= 0)
		return true;
	*out = rule_int(0);
	if (places > INT_PLACES_MAX)
		return true;
	for (int64_t i = 0; i < places; i++)
		unit *= 10;
	multiple = size / unit;
	rest = size % unit;
	if (2 * rest > unit || (2 * rest == unit && multiple % 2 == 1))
		multiple++;
	multiple *= unit;
	if (multiple > (wide)INT64_MAX + (n < 0))
		return rule_raise_overflow(run);
	*out = rule_int(
		n < 0 ? -(int64_t)(multiple - (multiple > 0)) - (multiple > 0) : (int64_t)multiple);
	return true;
}

/* The float nearest to x rounded at 10^-places; printf() rounds exactly, half to even, as CPython.
 */
static double round_places(double x, int places)
{
	char text[EXACT_DIGITS + 64];
	int exponent;

	if (places >= 0) {
		(void)snprintf(text, sizeof(text), "%.*f", places, x); /* 309 + 323 digits fit */
		return strtod(text, NULL);
	}
	(void)snprintf(text, sizeof(text), "%.*e", EXACT_DIGITS, fabs(x));
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (exponent + places >= 0) {
		(void)snprintf(text, sizeof(text), "%.*e", exponent + places, x);
		return strtod(text, NULL);
	}
	/* Only the first digit can carry: 5.000 is in the middle, and 0 is even. */
	if (exponent + places < -1 || *text < '5' ||
		(*text == '5' && strspn(text + 2, "0") == EXACT_DIGITS))
		return copysign(0, x);
	(void)snprintf(text, sizeof(text), "%s1e%d", x < 0 ? "-" : "", -places);
	return strtod(text, NULL);
}

static bool round_float(struct rule_run *run, double x, int64_t places, struct rule_value *out)
{
	*out = rule_float(x);
	if (isnan(x) || isinf(x) || places > PLACES_MAX)
		return true;
	*out = rule_float(places < -PLACES_MAX ? copysign(0, x) : round_places(x, (int)places));
	if (isinf(out->real))
		return rule_raise(run, "OverflowError: rounded value too large to represent");
	return rule_charge(run, EXACT_DIGITS / RULE_STEP_BYTES);
}

bool rule_need_int(struct rule_run *run, const struct rule_value *v)
{
	return rule_is_integer(v) ||
	       rule_raise(run, "TypeError: '%s' object cannot be interpreted as an integer",
		       rule_type_name(v));
}

/* Without places the result is an int. */
bool rule_function_round(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	const bool whole = count < 2 || argument[1].type == RULE_NONE;
	struct rule_value rounded;

	if (!rule_is_number(argument))
		return rule_raise(run, "TypeError: type %s doesn't define __round__ method",
			rule_type_name(argument));
	if (!whole && !rule_need_int(run, &argument[1]))
		return false;
	if (rule_is_integer(argument))
		return round_int(run, argument->integer,
			whole || argument[1].integer > 0        ? 0
			: argument[1].integer < -INT_PLACES_MAX ? INT_PLACES_MAX + 1
								: -argument[1].integer,
			out);
	if (!whole)
		return round_float(run, argument->real, argument[1].integer, out);
	return round_float(run, argument->real, 0, &rounded) && rule_to_int(run, &rounded, out);
}

bool rule_function_ord(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	size_t bytes = 0;
	uint32_t code = 0;

	(void)count; /* always 1 */
	if (argument->type != RULE_STR)
		return rule_raise(run, "TypeError: ord() expected string of length 1, but %s found",
			rule_type_name(argument));
	if (argument->str.length > 0)
		code = rule_utf8_decode(argument->str.data, argument->str.length, &bytes);
	if (bytes == 0 || bytes != argument->str.length)
		return rule_raise(run,
			"TypeError: ord() expected a character, but string of length %zu found",
			rule_utf8_count(argument->str));
	*out = rule_int(code);
	return true;
}

bool rule_function_chr(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	char *data;

	(void)count; /* always 1 */
	if (!rule_need_int(run, argument))
		return false;
	if (argument->integer < 0 || argument->integer > 0x10ffff)
		return rule_raise(run, "ValueError: chr() arg not in range(0x110000)");
	data = rule_alloc(run, 4);
	if (!data)
		return false;
	*out = rule_str(data, rule_utf8_encode((uint32_t)argument->integer, data));
	return true;
}
