/*
 * format: one value written as a format specification wants it
 * (docs.python.org/3/library/string.html, "Format Specification Mini-Language"); the % operator
 * uses it too. Not known: the option z.
 *
 * Widths and precisions are bounded by the memory of the evaluation.
 */
#include "rule/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rule/call.h"
#include "rule/run.h"
#include "rule/text.h"

/* A number in parts: padding with zeros goes before the digits, commas go between them. */
struct parts {
	const char *sign, *prefix;
	const char *digits, *rest; /* of the same text; the rest is .5e+01 or inf */
	size_t count;              /* of digits */
};

static bool grow(struct rule_run *run, struct buf *b, size_t more)
{
	if (more > RULE_RUN_BYTES || b->length + more > RULE_RUN_BYTES)
		return rule_raise(run, "MemoryError: the rule needs more than %d KiB",
			(int)RULE_RUN_BYTES / 1024);
	return rule_charge(run, 1 + more / RULE_STEP_BYTES);
}

static bool pad(struct rule_run *run, struct buf *b, uint32_t fill, size_t count)
{
	char bytes[4];
	const size_t size = rule_utf8_encode(fill, bytes);

	if (!grow(run, b, count > RULE_RUN_BYTES ? count : count * size))
		return false;
	for (; count > 0; count--)
		buf_add(b, bytes, size);
	return true;
}

bool rule_format_text(
	struct rule_run *run, struct buf *b, const struct rule_spec *spec, struct rule_str s)
{
	size_t count, blank, left;

	if (spec->precision >= 0 && (uint64_t)spec->precision < s.length)
		s.length = rule_utf8_offset(s, (size_t)spec->precision);
	count = rule_utf8_count(s);
	blank = spec->width > (int64_t)count ? (size_t)spec->width - count : 0;
	left = spec->align == '>' ? blank : spec->align == '^' ? blank / 2 : 0;
	if (!pad(run, b, spec->fill, left) || !grow(run, b, s.length))
		return false;
	buf_add(b, s.data, s.length);
	return pad(run, b, spec->fill, blank - left);
}

/* ---- numbers ---- */

/* The digits from the right in groups, at least least characters of them with zeros: CPython,
 * Objects/stringlib/localeutil.h. */
static struct rule_str group(
	struct rule_run *run, const struct parts *n, size_t size, char comma, size_t least)
{
	const size_t room = 2 * (n->count + least) + 2;
	char *data = least > RULE_RUN_BYTES ? NULL : rule_alloc(run, room), *at;
	size_t left = n->count, each;

	if (!data)
		return (struct rule_str){ NULL, 0 };
	at = data + room;
	do {
		each = left > least ? left : least;
		each = each < 1 ? 1 : each > size ? size : each;
		for (size_t i = 0; i < each; i++)
			*--at = left > 0 ? n->digits[--left] : '0';
		least -= each < least ? each : least;
		if (left == 0 && least == 0)
			break;
		*--at = comma;
		least -= least > 0;
	} while (true);
	return (struct rule_str){ at, (size_t)(data + room - at) };
}

static bool write_number(
	struct rule_run *run, struct buf *b, const struct rule_spec *spec, const struct parts *n)
{
	const bool zeros = spec->align == '=' && spec->fill == '0';
	const bool hex = strchr("boxX", spec->type) && spec->type;
	struct rule_str digits = { n->digits, n->count };
	size_t fixed = strlen(n->sign) + strlen(n->prefix) + strlen(n->rest), total, blank, left;

	if (spec->grouping && n->count > 0) {
		digits = group(run, n, hex ? 4 : 3, spec->grouping,
			zeros && spec->width > (int64_t)fixed ? (size_t)spec->width - fixed : 0);
		if (!digits.data)
			return rule_raise(run, "MemoryError: the number is too wide");
	}
	total = fixed + digits.length;
	blank = spec->width > (int64_t)total ? (size_t)spec->width - total : 0;
	left = spec->align == '<' ? 0 : spec->align == '^' ? blank / 2 : blank;
	if (spec->align != '=' && !pad(run, b, spec->fill, left))
		return false;
	buf_puts(b, n->sign);
	buf_puts(b, n->prefix);
	if (spec->align == '=' && !pad(run, b, spec->fill, left))
		return false;
	if (!grow(run, b, digits.length + strlen(n->rest)))
		return false;
	buf_add(b, digits.data, digits.length);
	buf_puts(b, n->rest);
	return pad(run, b, spec->fill, blank - left);
}

static const char *sign_of(const struct rule_spec *spec, bool negative)
{
	return negative ? "-" : spec->sign == '+' ? "+" : spec->sign == ' ' ? " " : "";
}

bool rule_format_int(
	struct rule_run *run, struct buf *b, const struct rule_spec *spec, int64_t value)
{
	const unsigned base = spec->type == 'b'                        ? 2
			      : spec->type == 'o'                      ? 8
			      : spec->type == 'x' || spec->type == 'X' ? 16
								       : 10;
	const char *letters = spec->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	/* The % operator's precision: so many digits at least. */
	const size_t least = spec->precision > 0 ? (size_t)spec->precision : 1;
	const size_t room = least > 64 ? least : 64;
	char prefix[3] = { '0', spec->type, '\0' };
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char *data = room > RULE_RUN_BYTES ? NULL : rule_alloc(run, room + 1), *at;
	struct parts n = { .sign = sign_of(spec, value < 0), .rest = "" };

	if (!data)
		return rule_raise(run, "MemoryError: the number is too wide");
	at = data + room;
	*at = '\0';
	while (left > 0 || (size_t)(data + room - at) < least) {
		*--at = letters[left % base];
		left /= base;
	}
	n.prefix = spec->alternate && base != 10 ? prefix : "";
	n.digits = at;
	n.count = (size_t)(data + room - at);
	return write_number(run, b, spec, &n);
}

/* No type but a precision: as g, which goes over to exponents one digit earlier, and has a point
 * without them. */
static void write_general(char *text, size_t size, double value, int precision)
{
	char *exponent, *end;
	long power;

	precision = precision ? precision : 1;
	(void)snprintf(text, size, "%.*e", precision - 1, value);
	exponent = strchr(text, 'e');
	power = strtol(exponent + 1, NULL, 10);
	if (power < -4 || power >= precision - 1) {
		/* Zeros behind the point go, and a point without digits. */
		for (end = exponent; memchr(text, '.', (size_t)(end - text)) && end[-1] == '0';)
			end--;
		end -= end[-1] == '.';
		memmove(end, exponent, strlen(exponent) + 1);
		return;
	}
	(void)snprintf(text, size, "%.*g", precision, value);
	if (!strchr(text, '.'))
		(void)snprintf(text + strlen(text), size - strlen(text), ".0");
}

static void print_real(
	char *text, size_t size, const struct rule_spec *spec, double value, int precision)
{
	const bool point = spec->alternate; /* even with no digit behind it */

	switch (spec->type) {
	case 'e':
		(void)snprintf(text, size, point ? "%#.*e" : "%.*e", precision, value);
		break;
	case 'E':
		(void)snprintf(text, size, point ? "%#.*E" : "%.*E", precision, value);
		break;
	case 'G':
		(void)snprintf(text, size, point ? "%#.*G" : "%.*G", precision, value);
		break;
	case 'g':
	case 'n': /* of the C locale */
		(void)snprintf(text, size, point ? "%#.*g" : "%.*g", precision, value);
		break;
	default: /* f F % */
		(void)snprintf(text, size, point ? "%#.*f" : "%.*f", precision, value);
	}
}

static void write_real(
	char *text, size_t size, const struct rule_spec *spec, double value, int precision)
{
	if (isnan(value) || isinf(value)) {
		(void)snprintf(text, size, "%s", isnan(value) ? "nan" : "inf");
		if (strchr("EFG", spec->type) && spec->type)
			(void)snprintf(text, size, "%s", isnan(value) ? "NAN" : "INF");
	} else if (spec->type == '\0' && spec->precision < 0) {
		rule_float_text(value, text);
	} else if (spec->type == '\0') {
		write_general(text, size, value, precision);
	} else {
		print_real(text, size, spec, value, precision);
	}
	if (spec->type == '%')
		(void)snprintf(text + strlen(text), size - strlen(text), "%%");
}

bool rule_format_real(
	struct rule_run *run, struct buf *b, const struct rule_spec *spec, double value)
{
	const int64_t precision = spec->precision < 0 ? 6 : spec->precision;
	const size_t size = 400 + (size_t)(precision < RULE_RUN_BYTES ? precision : 0);
	struct parts n = { .prefix = "" };
	char *text;

	if (precision >= RULE_RUN_BYTES)
		return rule_raise(run, "ValueError: precision too big");
	text = rule_alloc(run, size);
	if (!text || !rule_charge(run, size / RULE_STEP_BYTES))
		return false;
	if (spec->type == '%')
		value *= 100;
	n.sign = sign_of(spec, signbit(value) && !isnan(value));
	write_real(text, size, spec, fabs(value), (int)precision);
	n.digits = text;
	n.count = strspn(text, "0123456789");
	n.rest = text + n.count;
	return write_number(run, b, spec, &n);
}

/* ---- the specification ---- */

static bool one_of(uint32_t code, const char *set)
{
	return code != 0 && code < 0x80 && strchr(set, (int)code);
}

/* The digits at *at; -1 when there are none. */
static bool read_number(struct rule_run *run, struct rule_str s, size_t *at, int64_t *value)
{
	*value = -1;
	for (; *at < s.length && s.data[*at] >= '0' && s.data[*at] <= '9'; ++*at) {
		if (__builtin_mul_overflow(*value < 0 ? 0 : *value, 10, value) ||
			__builtin_add_overflow(*value, s.data[*at] - '0', value))
			return rule_raise(
				run, "ValueError: Too many decimal digits in format string");
	}
	return true;
}

static bool skip(struct rule_str s, size_t *at, char c)
{
	if (*at == s.length || s.data[*at] != c)
		return false;
	++*at;
	return true;
}

/* normal: where a value of this type stands when the specification does not say. */
static bool read_spec(struct rule_run *run, struct rule_str s, char normal, struct rule_spec *spec)
{
	size_t at = 0, bytes = 0;
	uint32_t first = s.length ? rule_utf8_decode(s.data, s.length, &bytes) : 0;
	bool filled = s.length > bytes && one_of((unsigned char)s.data[bytes], "<>=^");

	*spec = (struct rule_spec){ .fill = filled ? first : ' ', .align = normal };
	if (filled || one_of(first, "<>=^")) {
		spec->align = s.data[filled ? bytes : 0];
		at = filled ? bytes + 1 : 1;
	}
	if (at < s.length && one_of((unsigned char)s.data[at], "+- "))
		spec->sign = s.data[at++];
	spec->alternate = skip(s, &at, '#');
	if (!filled && skip(s, &at, '0')) {
		spec->fill = '0';
		if (normal == '>' && !one_of(first, "<>=^"))
			spec->align = '=';
	}
	if (!read_number(run, s, &at, &spec->width))
		return false;
	if (skip(s, &at, ','))
		spec->grouping = ',';
	if (skip(s, &at, '_')) {
		if (spec->grouping)
			return rule_raise(run, "ValueError: Cannot specify both ',' and '_'.");
		spec->grouping = '_';
	}
	spec->precision = -1;
	if (skip(s, &at, '.')) {
		if (!read_number(run, s, &at, &spec->precision))
			return false;
		if (spec->precision < 0)
			return rule_raise(run, "ValueError: Format specifier missing precision");
	}
	if (s.length - at > 1 || (at < s.length && s.data[at] == '\0'))
		return rule_raise(run, "ValueError: Invalid format specifier");
	if (at < s.length)
		spec->type = s.data[at];
	return true;
}

/* What Python refuses of a specification for this type. known: the codes that it has. */
static bool check_spec(struct rule_run *run, const struct rule_spec *spec,
	const struct rule_value *v, const char *known)
{
	const bool text = v->type == RULE_STR || spec->type == 'c';

	if (spec->type && !strchr(known, spec->type))
		return rule_raise(run,
			"ValueError: Unknown format code '%c' for object of type '%s'", spec->type,
			rule_type_name(v));
	if (spec->grouping && (v->type == RULE_STR || strchr("nc", spec->type)) &&
		(spec->type || v->type == RULE_STR))
		return rule_raise(run, "ValueError: Cannot specify '%c' with '%c'.", spec->grouping,
			spec->type ? spec->type : 's');
	if (spec->grouping == ',' && spec->type && strchr("boxX", spec->type))
		return rule_raise(run, "ValueError: Cannot specify ',' with '%c'.", spec->type);
	if (text && spec->sign)
		return rule_raise(run, "ValueError: Sign not allowed in string format specifier");
	if (text && spec->alternate)
		return rule_raise(run,
			"ValueError: Alternate form (#) not allowed in string format specifier");
	if (v->type == RULE_STR && spec->align == '=')
		return rule_raise(
			run, "ValueError: '=' alignment not allowed in string format specifier");
	return true;
}

static bool format_integer(struct rule_run *run, struct buf *b, const struct rule_spec *spec,
	const struct rule_value *v)
{
	struct rule_value character;
	struct parts n = { "", "", "", "", 0 };

	if (spec->type && strchr("eEfFgG%", spec->type))
		return rule_format_real(run, b, spec, (double)v->integer);
	if (spec->precision >= 0)
		return rule_raise(
			run, "ValueError: Precision not allowed in integer format specifier");
	if (spec->type != 'c')
		return rule_format_int(run, b, spec, v->integer);
	if (!rule_function_chr(run, v, 1, &character))
		return false;
	/* It counts as one, however many bytes it has. */
	if (spec->align != '=')
		return rule_format_text(run, b, spec, character.str);
	n.rest = "?";
	if (!write_number(run, b, spec, &n))
		return false;
	b->length--;
	buf_add(b, character.str.data, character.str.length);
	return true;
}

bool rule_format(
	struct rule_run *run, struct buf *b, struct rule_str text, const struct rule_value *v)
{
	struct rule_value written;
	struct rule_spec spec;

	if (text.length == 0) {
		if (!rule_to_str(run, v, &written) || !grow(run, b, written.str.length))
			return false;
		buf_add(b, written.str.data, written.str.length);
		return true;
	}
	if (v->type != RULE_STR && !rule_is_number(v))
		return rule_raise(run,
			"TypeError: unsupported format string passed to %s.__format__",
			rule_type_name(v));
	if (!read_spec(run, text, v->type == RULE_STR ? '<' : '>', &spec) ||
		!check_spec(run, &spec, v,
			v->type == RULE_STR     ? "s"
			: v->type == RULE_FLOAT ? "eEfFgGn%"
						: "bcdoxXneEfFgG%"))
		return false;
	if (v->type == RULE_STR)
		return rule_format_text(run, b, &spec, v->str);
	if (v->type == RULE_FLOAT)
		return rule_format_real(run, b, &spec, v->real);
	return format_integer(run, b, &spec, v);
}
