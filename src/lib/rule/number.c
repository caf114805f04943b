/*
 * number: Python's arithmetic of numbers, except that ints have 64 bits: what does not fit raises
 * OverflowError.
 */
#include "rule/value.h"

#include <math.h>

#include "rule/call.h"
#include "rule/run.h"

__extension__ typedef unsigned __int128 wide;

double rule_number_real(const struct rule_value *v)
{
	return v->type == RULE_FLOAT ? v->real : (double)v->integer;
}

static int real_order(double a, double b)
{
	return isnan(a) || isnan(b) ? 2 : (a > b) - (a < b);
}

/* (double)a could round, hence b is split at its point instead. */
static int mixed_order(int64_t a, double b)
{
	double whole, fraction;

	if (isnan(b))
		return 2;
	if (b >= RULE_INT_END)
		return -1;
	if (b < -RULE_INT_END)
		return 1;
	fraction = modf(b, &whole);
	if (a != (int64_t)whole)
		return a > (int64_t)whole ? 1 : -1;
	return (fraction < 0) - (fraction > 0);
}

int rule_number_order(const struct rule_value *a, const struct rule_value *b)
{
	int order;

	if (a->type == RULE_FLOAT && b->type == RULE_FLOAT)
		return real_order(a->real, b->real);
	if (b->type == RULE_FLOAT)
		return mixed_order(a->integer, b->real);
	if (a->type == RULE_FLOAT) {
		order = mixed_order(b->integer, a->real);
		return order == 2 ? 2 : -order;
	}
	return (a->integer > b->integer) - (a->integer < b->integer);
}

static uint64_t magnitude(int64_t n)
{
	return n < 0 ? -(uint64_t)n : (uint64_t)n;
}

/* a / b, rounded once: the quotient has 63 bits or more and its lowest one stands for the rest. */
static double divide_ints(int64_t a, int64_t b)
{
	wide dividend = magnitude(a), divisor = magnitude(b), quotient;
	int shift = 0;
	double result;

	if (a == 0)
		return b < 0 ? -0.0 : 0.0;
	while (dividend >> 126 == 0) {
		dividend <<= 1;
		shift++;
	}
	quotient = dividend / divisor | (dividend % divisor != 0);
	result = ldexp((double)quotient, -shift);
	return (a < 0) != (b < 0) ? -result : result;
}

/* Python's floor: the remainder has the divisor's sign. */
static void floor_divide(int64_t a, int64_t b, int64_t *quotient, int64_t *remainder)
{
	*quotient = a / b;
	*remainder = a % b;
	if (*remainder && (*remainder < 0) != (b < 0)) {
		*remainder += b;
		--*quotient;
	}
}

static bool int_binary(
	struct rule_run *run, enum rule_arithmetic op, int64_t a, int64_t b, struct rule_value *out)
{
	static const char *const zero[] = {
		[RULE_DIVIDE] = "division by zero",
		[RULE_FLOOR_DIVIDE] = "integer division or modulo by zero",
		[RULE_MODULO] = "integer modulo by zero",
	};
	int64_t quotient = 0, remainder = 0, result = 0;
	bool overflow = false;

	if (op >= RULE_DIVIDE && b == 0)
		return rule_raise(run, "ZeroDivisionError: %s", zero[op]);
	if (op == RULE_DIVIDE) {
		*out = rule_float(divide_ints(a, b));
		return true;
	}
	if (op == RULE_ADD)
		overflow = __builtin_add_overflow(a, b, &result);
	else if (op == RULE_SUBTRACT)
		overflow = __builtin_sub_overflow(a, b, &result);
	else if (op == RULE_MULTIPLY)
		overflow = __builtin_mul_overflow(a, b, &result);
	else if (b != -1)
		floor_divide(a, b, &quotient, &remainder);
	else /* INT64_MIN / -1 does not fit */
		overflow = __builtin_sub_overflow(0, a, &quotient) && op == RULE_FLOOR_DIVIDE;
	if (overflow)
		return rule_raise_overflow(run);
	*out = rule_int(op == RULE_FLOOR_DIVIDE ? quotient
			: op == RULE_MODULO     ? remainder
						: result);
	return true;
}

/* CPython 3.11, Objects/floatobject.c, _float_div_mod(). */
static void real_floor_divide(double a, double b, double *quotient, double *remainder)
{
	double whole;

	*remainder = fmod(a, b);
	*quotient = (a - *remainder) / b;
	if (*remainder != 0) {
		if ((b < 0) != (*remainder < 0)) {
			*remainder += b;
			*quotient -= 1;
		}
	} else {
		*remainder = copysign(0, b);
	}
	if (*quotient == 0) {
		*quotient = copysign(0, a / b);
		return;
	}
	if (modf(*quotient, &whole) < 0) /* floor */
		whole -= 1;
	*quotient = *quotient - whole > 0.5 ? whole + 1 : whole;
}

static bool real_binary(
	struct rule_run *run, enum rule_arithmetic op, double a, double b, struct rule_value *out)
{
	static const char *const zero[] = {
		[RULE_DIVIDE] = "float division by zero",
		[RULE_FLOOR_DIVIDE] = "float floor division by zero",
		[RULE_MODULO] = "float modulo",
	};
	double quotient, remainder;

	if (op >= RULE_DIVIDE && b == 0)
		return rule_raise(run, "ZeroDivisionError: %s", zero[op]);
	switch (op) {
	case RULE_ADD:
		*out = rule_float(a + b);
		break;
	case RULE_SUBTRACT:
		*out = rule_float(a - b);
		break;
	case RULE_MULTIPLY:
		*out = rule_float(a * b);
		break;
	case RULE_DIVIDE:
		*out = rule_float(a / b);
		break;
	default:
		real_floor_divide(a, b, &quotient, &remainder);
		*out = rule_float(op == RULE_MODULO ? remainder : quotient);
	}
	return true;
}

static bool is_bitwise(enum rule_arithmetic op)
{
	return op == RULE_BIT_OR || op == RULE_BIT_XOR || op == RULE_BIT_AND;
}

/* Of two bools a bool. */
static bool bitwise(struct rule_run *run, enum rule_arithmetic op, const struct rule_value *a,
	const struct rule_value *b, struct rule_value *out)
{
	if (a->type == RULE_FLOAT || b->type == RULE_FLOAT)
		return rule_raise(run,
			"TypeError: unsupported operand type(s) for %s: '%s' and '%s'",
			op == RULE_BIT_OR    ? "|"
			: op == RULE_BIT_XOR ? "^"
					     : "&",
			rule_type_name(a), rule_type_name(b));
	*out = rule_int(op == RULE_BIT_OR    ? a->integer | b->integer
			: op == RULE_BIT_XOR ? a->integer ^ b->integer
					     : a->integer & b->integer);
	if (a->type == RULE_BOOL && b->type == RULE_BOOL)
		out->type = RULE_BOOL;
	return true;
}

/* What remains of the base stays squared as often as bits of the exponent are left. */
static bool int_power(struct rule_run *run, int64_t base, int64_t exponent, struct rule_value *out)
{
	int64_t result = 1;

	for (; exponent > 0; exponent >>= 1) {
		if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
			return rule_raise_overflow(run);
		if (exponent > 1 && __builtin_mul_overflow(base, base, &base))
			return rule_raise_overflow(run);
	}
	*out = rule_int(result);
	return true;
}

/* CPython 3.11, Objects/floatobject.c, float_pow(); C's pow() has its special cases (C11 F.10.4.4).
 */
static bool real_power(struct rule_run *run, double a, double b, struct rule_value *out)
{
	double whole;

	if (a == 0 && b < 0 && !isinf(b))
		return rule_raise(
			run, "ZeroDivisionError: 0.0 cannot be raised to a negative power");
	if (a < 0 && !isinf(a) && isfinite(b) && modf(b, &whole) != 0)
		return rule_raise(run, "ValueError: the root of a negative number is complex");
	*out = rule_float(pow(a, b));
	if (isinf(out->real) && !isinf(a) && !isinf(b))
		return rule_raise(run, "OverflowError: (34, 'Numerical result out of range')");
	return true;
}

bool rule_number_binary(struct rule_run *run, enum rule_arithmetic op, const struct rule_value *a,
	const struct rule_value *b, struct rule_value *out)
{
	if (is_bitwise(op))
		return bitwise(run, op, a, b, out);
	if (op == RULE_POWER && rule_is_integer(a) && rule_is_integer(b) && b->integer >= 0)
		return int_power(run, a->integer, b->integer, out);
	if (op == RULE_POWER)
		return real_power(run, rule_number_real(a), rule_number_real(b), out);
	if (a->type == RULE_FLOAT || b->type == RULE_FLOAT)
		return real_binary(run, op, rule_number_real(a), rule_number_real(b), out);
	return int_binary(run, op, a->integer, b->integer, out);
}

/* ---- functions ---- */

bool rule_need_int(struct rule_run *run, const struct rule_value *v)
{
	return rule_is_integer(v) ||
	       rule_raise(run, "TypeError: '%s' object cannot be interpreted as an integer",
		       rule_type_name(v));
}

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

/* v as a float; of an int too, as Python's math module takes it. */
static bool need_real(struct rule_run *run, const struct rule_value *v, double *real)
{
	if (!rule_is_number(v))
		return rule_raise(run, "TypeError: must be real number, not %s", rule_type_name(v));
	*real = rule_number_real(v);
	return true;
}

/* An int stays what it is. */
static bool to_whole(struct rule_run *run, const struct rule_value *v, double (*whole)(double),
	struct rule_value *out)
{
	struct rule_value rounded;
	double real = 0;

	if (!need_real(run, v, &real))
		return false;
	rounded = rule_is_integer(v) ? *v : rule_float(whole(real));
	return rule_to_int(run, &rounded, out);
}

bool rule_function_floor(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 1 */
	return to_whole(run, argument, floor, out);
}

bool rule_function_ceil(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 1 */
	return to_whole(run, argument, ceil, out);
}

bool rule_function_trunc(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 1 */
	return to_whole(run, argument, trunc, out);
}

bool rule_function_sqrt(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	double real = 0;

	(void)count; /* always 1 */
	if (!need_real(run, argument, &real))
		return false;
	if (real < 0)
		return rule_raise(run, "ValueError: math domain error");
	*out = rule_float(sqrt(real));
	return true;
}

bool rule_function_log10(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	double real = 0;

	(void)count; /* always 1 */
	if (!need_real(run, argument, &real))
		return false;
	if (real <= 0)
		return rule_raise(run, "ValueError: math domain error");
	*out = rule_float(log10(real));
	return true;
}

bool rule_function_pow(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	(void)count; /* always 2 */
	return rule_binary(run, RULE_POWER, argument, argument + 1, out);
}

bool rule_function_divmod(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_value *pair = rule_alloc(run, 2 * sizeof(*pair));

	(void)count; /* always 2 */
	if (!pair)
		return false;
	if (!rule_is_number(argument) || !rule_is_number(argument + 1))
		return rule_raise(run,
			"TypeError: unsupported operand type(s) for divmod(): '%s' and '%s'",
			rule_type_name(argument), rule_type_name(argument + 1));
	*out = (struct rule_value){ .type = RULE_TUPLE, .items = { pair, 2 } };
	return rule_number_binary(run, RULE_FLOOR_DIVIDE, argument, argument + 1, pair) &&
	       rule_number_binary(run, RULE_MODULO, argument, argument + 1, pair + 1);
}
