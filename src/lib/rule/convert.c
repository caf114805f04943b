/*
 * convert: numbers from text, rounded, and as Python writes them: int() float() round().
 */
#include "rule/value.h"

#include <errno.h>
#include <fenv.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rule/call.h"
#include "rule/run.h"
#include "rule/text.h"

__extension__ typedef unsigned __int128 wide;

enum {
	PLACES_MAX = 323,    /* a float has no digits that further places would cut off */
	EXACT_DIGITS = 766,  /* behind the first: with these every float is written exactly */
	INT_PLACES_MAX = 19, /* 10^19 / 2 is the last that an int can reach */
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Copies s with the digits and blanks of all scripts made ASCII, without blanks around it and
 * without single '_' between digits. Other characters become '?', which no number has. */
static char *plain_number(struct rule_run *run, struct rule_str s)
{
	char *text = rule_alloc(run, s.length + 1), *end = text, *start = text, *out;
	size_t bytes;
	uint32_t code;
	int digit;

	if (!text)
		return NULL;
	for (size_t at = 0; at < s.length; at += bytes) {
		code = rule_utf8_decode(s.data + at, s.length - at, &bytes);
		digit = rule_case_digit(code);
		*end = '?';
		if (code > 0 && code < 0x7f)
			*end = (char)code;
		else if (rule_is_space(code))
			*end = ' ';
		else if (digit >= 0)
			*end = (char)('0' + digit);
		end++;
	}
	while (end > start && is_space(end[-1]))
		end--;
	while (start < end && is_space(*start))
		start++;
	*end = '\0';
	out = text;
	for (const char *p = start; p < end; p++)
		if (*p != '_' || p == start || !is_digit(p[-1]) || !is_digit(p[1]))
			*out++ = *p;
	*out = '\0';
	return text;
}

bool rule_raise_value(struct rule_run *run, const char *what, const struct rule_value *v)
{
	struct rule_value quoted;

	return rule_to_repr(run, v, &quoted) && rule_raise(run, "ValueError: %s: %.*s", what,
							(int)quoted.str.length, quoted.str.data);
}

static bool text_to_int(struct rule_run *run, const struct rule_value *v, struct rule_value *out)
{
	const char *text = plain_number(run, v->str), *digits;

	if (!text)
		return false;
	digits = text + (*text == '+' || *text == '-');
	if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
		return rule_raise_value(run, "invalid literal for int() with base 10", v);
	errno = 0;
	*out = rule_int(strtoll(text, NULL, 10));
	return errno == 0 || rule_raise_overflow(run);
}

bool rule_to_int(struct rule_run *run, const struct rule_value *v, struct rule_value *out)
{
	if (rule_is_integer(v)) {
		*out = rule_int(v->integer);
		return true;
	}
	if (v->type == RULE_STR)
		return text_to_int(run, v, out);
	if (v->type != RULE_FLOAT)
		return rule_raise(run,
			"TypeError: int() argument must be a string, a bytes-like object or a real "
			"number, not '%s'",
			rule_type_name(v));
	if (isnan(v->real))
		return rule_raise(run, "ValueError: cannot convert float NaN to integer");
	if (isinf(v->real))
		return rule_raise(run, "OverflowError: cannot convert float infinity to integer");
	if (v->real >= RULE_INT_END || v->real < -RULE_INT_END)
		return rule_raise_overflow(run);
	*out = rule_int((int64_t)v->real);
	return true;
}

/* strtod() would also take hexadecimal numbers and nan(...). */
static bool is_float(const char *text)
{
	static const char *const names[] = { "inf", "infinity", "nan" };
	const char *unsigned_text = text + (*text == '+' || *text == '-');

	if (*text != '\0' && text[strspn(text, "0123456789.eE+-")] == '\0')
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasecmp(unsigned_text, names[i]) == 0)
			return true;
	return false;
}

bool rule_to_float(struct rule_run *run, const struct rule_value *v, struct rule_value *out)
{
	char *text, *end;

	if (rule_is_number(v)) {
		*out = rule_float(rule_number_real(v));
		return true;
	}
	if (v->type != RULE_STR)
		return rule_raise(run,
			"TypeError: float() argument must be a string or a real number, not '%s'",
			rule_type_name(v));
	text = plain_number(run, v->str);
	if (!text)
		return false;
	*out = rule_float(strtod(text, &end)); /* too large is inf, as in Python */
	if (!is_float(text) || *end != '\0')
		return rule_raise_value(run, "could not convert string to float", v);
	return true;
}

/* digits[0].digits[1..] * 10^exponent, as Python places the point */
static void place_point(const char *digits, int exponent, char *out, size_t size)
{
	int count = (int)strlen(digits);

	if (exponent >= 16 || exponent < -4)
		(void)snprintf(out, size, "%c%s%se%c%02d", *digits, count > 1 ? "." : "",
			digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
	else if (exponent < 0)
		(void)snprintf(out, size, "0.%.*s%s", -exponent - 1, "000", digits);
	else if (count <= exponent + 1)
		(void)snprintf(
			out, size, "%s%.*s.0", digits, exponent + 1 - count, "0000000000000000");
	else
		(void)snprintf(out, size, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
}

/* Whether value has a text of so many digits behind the first that reads back the same. */
static bool write_digits(double value, int precision, char *digits, size_t size)
{
	int exponent;

	(void)snprintf(digits, size, "%.*e", precision, value);
	if (strtod(digits, NULL) == value || frexp(value, &exponent) != 0.5)
		return strtod(digits, NULL) == value;
	/* Below a power of two the floats stand twice as close: the text above it may read back
	 * when the nearest does not, as that of 2 ** -24. */
	(void)fesetround(FE_UPWARD); /* both always succeed */
	(void)snprintf(digits, size, "%.*e", precision, value);
	(void)fesetround(FE_TONEAREST);
	return strtod(digits, NULL) == value;
}

void rule_float_text(double value, char text[RULE_FLOAT_TEXT])
{
	char digits[32];
	int precision = 0;
	size_t length;

	if (isnan(value) || isinf(value)) {
		(void)snprintf(text, RULE_FLOAT_TEXT, "%s",
			isnan(value) ? "nan"
			: value < 0  ? "-inf"
				     : "inf");
		return;
	}
	/* d.ddde+XX: 17 digits are always enough for a double. */
	while (!write_digits(fabs(value), precision, digits, sizeof(digits)) && ++precision < 17)
		;
	if (precision)
		memmove(digits + 1, digits + 2, strlen(digits + 1));
	length = strcspn(digits, "e");
	digits[length] = '\0';
	*text = '-';
	place_point(digits, (int)strtol(digits + length + 1, NULL, 10),
		text + (signbit(value) != 0), RULE_FLOAT_TEXT - 1);
}

/* ---- round ---- */

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
