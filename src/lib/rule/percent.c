/*
 * percent: the % operator of str: texts with places for values behind %.
 *
 * The errors are those of CPython 3.11, Objects/unicodeobject.c. Not known: %a.
 */
#include "rule/format.h"

#include <string.h>

#include "rule/call.h"
#include "rule/run.h"
#include "rule/text.h"

#define NO_COUNT INT64_MIN

struct percent {
	struct rule_run *run;
	struct rule_str text;
	size_t at;
	const struct rule_value *all; /* what stands behind % */
	const struct rule_value *item;
	size_t left; /* items that are still to be used */
	bool mapping;
	struct rule_value chosen; /* by the last %(key) */
};

static bool next_value(struct percent *p, const struct rule_value **v)
{
	if (p->left == 0)
		return rule_raise(p->run, "TypeError: not enough arguments for format string");
	*v = p->item++;
	p->left--;
	return true;
}

/* The next character, which must be there. */
static bool peek(struct percent *p, char *c)
{
	if (p->at == p->text.length)
		return rule_raise(p->run, "ValueError: incomplete format");
	*c = p->text.data[p->at];
	return true;
}

/* (key), with parentheses in it. */
static bool read_key(struct percent *p)
{
	size_t depth = 1, start = ++p->at;
	struct rule_value key;

	if (p->all->type != RULE_DICT)
		return rule_raise(p->run, "TypeError: format requires a mapping");
	for (; depth > 0 && p->at < p->text.length; p->at++)
		depth += (p->text.data[p->at] == '(') - (p->text.data[p->at] == ')');
	if (depth > 0)
		return rule_raise(p->run, "ValueError: incomplete format key");
	key = rule_str(p->text.data + start, p->at - 1 - start);
	if (!rule_dict_index(p->run, p->all, &key, &p->chosen))
		return false;
	p->item = &p->chosen;
	p->left = 1;
	return true;
}

/* A width or a precision: digits, or * for a value; NO_COUNT when there is none. */
static bool read_count(struct percent *p, int64_t *count)
{
	const struct rule_value *v = NULL;
	bool digits = false;

	*count = 0;
	if (p->at < p->text.length && p->text.data[p->at] == '*') {
		p->at++;
		if (!next_value(p, &v))
			return false;
		if (!rule_is_integer(v))
			return rule_raise(p->run, "TypeError: * wants int");
		*count = v->integer;
		if (*count > INT32_MAX || *count < -INT32_MAX)
			return rule_raise(
				p->run, "OverflowError: Python int too large to convert to C int");
		return true;
	}
	for (; p->at < p->text.length; p->at++) {
		if (p->text.data[p->at] < '0' || p->text.data[p->at] > '9')
			break;
		*count = *count * 10 + p->text.data[p->at] - '0';
		digits = true;
		if (*count > INT32_MAX)
			return rule_raise(p->run, "ValueError: width too big");
	}
	if (!digits)
		*count = NO_COUNT;
	return true;
}

/* Everything between % and the letter. */
static bool read_directive(struct percent *p, struct rule_spec *spec)
{
	bool left = false, zero = false;
	char c = 0;

	*spec = (struct rule_spec){ .fill = ' ', .align = '>', .precision = -1 };
	if (p->at < p->text.length && p->text.data[p->at] == '(' && !read_key(p))
		return false;
	for (; p->at < p->text.length && strchr("-+ #0", p->text.data[p->at]) &&
		p->text.data[p->at];
		p->at++) {
		c = p->text.data[p->at];
		left |= c == '-';
		zero |= c == '0';
		spec->alternate |= c == '#';
		if (c == '+' || (c == ' ' && !spec->sign))
			spec->sign = c;
	}
	if (!read_count(p, &spec->width))
		return false;
	if (spec->width < 0 && spec->width != NO_COUNT) {
		left = true;
		spec->width = -spec->width;
	}
	if (p->at < p->text.length && p->text.data[p->at] == '.') {
		p->at++;
		if (!read_count(p, &spec->precision))
			return false;
		if (spec->precision < 0)
			spec->precision = 0;
	}
	if (!peek(p, &c))
		return false;
	if (strchr("hlL", c) && c && (p->at++, !peek(p, &c)))
		return false;
	spec->type = c;
	p->at++;
	if (left)
		spec->align = '<';
	else if (zero && strchr("diuoxXeEfFgG", c)) {
		spec->align = '=';
		spec->fill = '0';
	}
	return true;
}

static bool write_int(
	struct percent *p, struct buf *b, struct rule_spec *spec, const struct rule_value *v)
{
	struct rule_value n;

	if (strchr("oxX", spec->type) ? !rule_is_integer(v) : !rule_is_number(v))
		return rule_raise(p->run, "TypeError: %%%c format: %s is required, not %s",
			spec->type, strchr("oxX", spec->type) ? "an integer" : "a real number",
			rule_type_name(v));
	if (strchr("iu", spec->type))
		spec->type = 'd';
	return rule_to_int(p->run, v, &n) && rule_format_int(p->run, b, spec, n.integer);
}

static bool write_character(
	struct percent *p, struct buf *b, struct rule_spec *spec, const struct rule_value *v)
{
	struct rule_value c = *v;

	spec->precision = -1;
	if (rule_is_integer(v)) {
		if (v->integer < 0 || v->integer > 0x10ffff)
			return rule_raise(p->run, "OverflowError: %%c arg not in range(0x110000)");
		if (!rule_function_chr(p->run, v, 1, &c))
			return false;
	} else if (v->type != RULE_STR || rule_utf8_count(v->str) != 1) {
		return rule_raise(p->run, "TypeError: %%c requires int or char");
	}
	return rule_format_text(p->run, b, spec, c.str);
}

static bool write_directive(struct percent *p, struct buf *b)
{
	const struct rule_value *v = NULL;
	struct rule_value written;
	struct rule_spec spec;

	if (p->at < p->text.length && p->text.data[p->at] == '%') {
		p->at++;
		buf_puts(b, "%");
		return true;
	}
	if (!read_directive(p, &spec))
		return false;
	if (!next_value(p, &v))
		return false;
	switch (spec.type) {
	case 's':
	case 'r':
		return (spec.type == 's' ? rule_to_str : rule_to_repr)(p->run, v, &written) &&
		       rule_format_text(p->run, b, &spec, written.str);
	case 'c':
		return write_character(p, b, &spec, v);
	case 'e':
	case 'E':
	case 'f':
	case 'F':
	case 'g':
	case 'G':
		return rule_is_number(v)
			       ? rule_format_real(p->run, b, &spec, rule_number_real(v))
			       : rule_raise(p->run, "TypeError: must be real number, not %s",
					 rule_type_name(v));
	default:
		if (spec.type && strchr("diuoxX", spec.type))
			return write_int(p, b, &spec, v);
		return rule_raise(p->run,
			"ValueError: unsupported format character '%c' (0x%x) at index %zu",
			spec.type, (unsigned char)spec.type, rule_utf8_index(p->text, p->at - 1));
	}
}

static bool write_percent(struct percent *p, struct buf *b)
{
	const char *found;
	size_t length;

	while (p->at < p->text.length) {
		found = memchr(p->text.data + p->at, '%', p->text.length - p->at);
		length = found ? (size_t)(found - p->text.data) - p->at : p->text.length - p->at;
		if (!rule_format_plain(p->run, b, p->text.data + p->at, length))
			return false;
		p->at += length + (found != NULL);
		if (found && (!rule_charge(p->run, 1) || !write_directive(p, b)))
			return false;
	}
	return p->left == 0 || p->mapping ||
	       rule_raise(
		       p->run, "TypeError: not all arguments converted during string formatting");
}

bool rule_percent(struct rule_run *run, struct rule_str text, const struct rule_value *v,
	struct rule_value *out)
{
	struct percent p = { .run = run, .text = text, .all = v, .item = v, .left = 1 };
	struct buf b = { 0 };

	if (v->type == RULE_TUPLE) {
		p.item = v->items.item;
		p.left = v->items.count;
	}
	/* What can be indexed may have items that are not used. */
	p.mapping = v->type == RULE_DICT || v->type == RULE_LIST;
	return rule_format_finish(run, &b, write_percent(&p, &b), out);
}
