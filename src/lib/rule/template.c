/*
 * template: str.format() and format(): texts with places for values in braces.
 *
 * The errors are those of CPython 3.11, Objects/stringlib/unicode_format.h. Not known: !a, and
 * attributes of values.
 */
#include "rule/format.h"

#include <string.h>

#include "rule/call.h"
#include "rule/run.h"
#include "rule/text.h"

bool rule_format_finish(struct rule_run *run, struct buf *b, bool done, struct rule_value *out)
{
	char *copy = NULL;

	if (done && !b->failed)
		copy = rule_alloc(run, b->length + 1);
	else if (b->failed)
		(void)rule_raise(run, "MemoryError: out of memory");
	if (copy) {
		if (b->length)
			memcpy(copy, b->data, b->length);
		*out = rule_str(copy, b->length);
	}
	buf_free(b);
	return copy != NULL;
}

bool rule_format_plain(struct rule_run *run, struct buf *b, const char *data, size_t length)
{
	if (length > RULE_RUN_BYTES - (b->length < RULE_RUN_BYTES ? b->length : RULE_RUN_BYTES))
		return rule_raise(run, "MemoryError: the rule needs more than %d KiB",
			(int)RULE_RUN_BYTES / 1024);
	buf_add(b, data, length);
	return rule_charge(run, length / RULE_STEP_BYTES);
}

struct braces {
	struct rule_run *run;
	const struct rule_value *argument;
	size_t count;
	int64_t next;           /* field without a number */
	bool counted, numbered; /* fields have been seen without, or with a number */
};

/* Digits only, and not too many; -1 otherwise. */
static int64_t to_number(struct rule_str s)
{
	int64_t n = 0;

	if (s.length == 0 || s.length > 9)
		return -1;
	for (size_t i = 0; i < s.length; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return -1;
		n = n * 10 + s.data[i] - '0';
	}
	return n;
}

static size_t span(struct rule_str s, size_t at, const char *stop)
{
	size_t n = 0;

	while (at + n < s.length && !(s.data[at + n] && strchr(stop, s.data[at + n])))
		n++;
	return n;
}

static bool choose(struct braces *f, struct rule_str name, const struct rule_value **v)
{
	int64_t n = to_number(name);

	if (name.length == 0) {
		n = f->next++;
		f->counted = true;
	} else if (n >= 0) {
		f->numbered = true;
	} else {
		return rule_raise(f->run, "KeyError: '%.*s'", (int)name.length, name.data);
	}
	if (f->counted && f->numbered)
		return rule_raise(f->run,
			"ValueError: cannot switch between manual field specification "
			"and automatic field numbering");
	if (n >= (int64_t)f->count)
		return rule_raise(f->run,
			"IndexError: Replacement index %lld out of range for positional args tuple",
			(long long)n);
	*v = &f->argument[n];
	return true;
}

/* NAME[INDEX]...: an argument, or a part of one. */
static bool find_field(struct braces *f, struct rule_str name, struct rule_value *out)
{
	const struct rule_value *v = NULL;
	struct rule_value whole, index;
	size_t at = span(name, 0, ".["), length;
	int64_t n;

	if (!choose(f, (struct rule_str){ name.data, at }, &v))
		return false;
	*out = *v;
	while (at < name.length) {
		if (name.data[at] != '[')
			return rule_raise(f->run,
				"AttributeError: rules know no attributes: '%.*s'",
				(int)(name.length - at), name.data + at);
		length = span(name, ++at, "]");
		if (at + length == name.length)
			return rule_raise(f->run, "ValueError: Missing ']' in format string");
		if (length == 0)
			return rule_raise(f->run, "ValueError: Empty attribute in format string");
		index = rule_str(name.data + at, length);
		n = to_number(index.str);
		if (n >= 0)
			index = rule_int(n);
		whole = *out;
		if (!rule_index(f->run, &whole, &index, out))
			return false;
		at += length + 1;
		if (at < name.length && !strchr(".[", name.data[at]))
			return rule_raise(f->run, "ValueError: Only '.' or '[' may follow ']' "
						  "in format field specifier");
	}
	return true;
}

static bool write_braces(struct braces *f, struct rule_str s, int depth, struct buf *b);

/* The specification has fields of its own. */
static bool write_nested(struct braces *f, struct rule_str spec, const struct rule_value *v,
	int depth, struct buf *b)
{
	struct buf inner = { 0 };
	bool done;

	if (!memchr(spec.data, '{', spec.length))
		return rule_format(f->run, b, spec, v);
	if (depth == 0)
		return rule_raise(f->run, "ValueError: Max string recursion exceeded");
	buf_puts(&inner, "");
	done = write_braces(f, spec, depth - 1, &inner) && !inner.failed &&
	       rule_format(f->run, b, (struct rule_str){ inner.data, inner.length }, v);
	buf_free(&inner);
	return done;
}

/* What stands between { and }. */
static bool write_field(struct braces *f, struct rule_str s, int depth, struct buf *b)
{
	size_t at = 0;
	struct rule_value v, written;
	char conversion = '\0';

	for (; at < s.length && s.data[at] != ':' && s.data[at] != '!'; at++)
		if (s.data[at] == '[')
			at += span(s, at, "]");
		else if (s.data[at] == '{')
			return rule_raise(f->run, "ValueError: unexpected '{' in field name");
	if (at > s.length)
		at = s.length;
	if (!find_field(f, (struct rule_str){ s.data, at }, &v))
		return false;
	if (at < s.length && s.data[at] == '!') {
		if (at + 1 == s.length)
			return rule_raise(f->run, "ValueError: unmatched '{' in format spec");
		conversion = s.data[at + 1];
		at += 2;
		if (at < s.length && s.data[at] != ':')
			return rule_raise(
				f->run, "ValueError: expected ':' after conversion specifier");
		if (conversion != 'r' && conversion != 's')
			return rule_raise(f->run,
				"ValueError: Unknown conversion specifier %c; rules know !r and !s",
				conversion);
		if (!(conversion == 'r' ? rule_to_repr : rule_to_str)(f->run, &v, &written))
			return false;
		v = written;
	}
	at += at < s.length;
	return write_nested(f, (struct rule_str){ s.data + at, s.length - at }, &v, depth, b);
}

/* The length of the field that begins behind a {; SIZE_MAX when it does not end. */
static size_t field_length(struct rule_str s, size_t at)
{
	size_t nested = 1;
	bool bracket = false, name = true;

	for (size_t i = at; i < s.length; i++) {
		const char c = s.data[i];

		if (name && bracket) {
			bracket = c != ']';
			continue;
		}
		bracket = name && c == '[';
		name &= c != ':' && c != '!';
		nested += (size_t)(c == '{') - (size_t)(c == '}');
		if (nested == 0)
			return i - at;
	}
	return SIZE_MAX;
}

static bool write_braces(struct braces *f, struct rule_str s, int depth, struct buf *b)
{
	size_t at = 0, length;

	while (at < s.length) {
		length = span(s, at, "{}");
		if (!rule_format_plain(f->run, b, s.data + at, length))
			return false;
		at += length;
		if (at == s.length)
			break;
		if (at + 1 < s.length && s.data[at + 1] == s.data[at]) {
			buf_add(b, s.data + at, 1);
			at += 2;
			continue;
		}
		if (s.data[at] == '}' || at + 1 == s.length)
			return rule_raise(f->run,
				"ValueError: Single '%c' encountered in format string", s.data[at]);
		length = field_length(s, ++at);
		if (length == SIZE_MAX)
			return rule_raise(f->run, "ValueError: expected '}' before end of string");
		if (!rule_charge(f->run, 1 + length / RULE_STEP_BYTES) ||
			!write_field(f, (struct rule_str){ s.data + at, length }, depth, b))
			return false;
		at += length + 1;
	}
	return true;
}

bool rule_method_format(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct braces f = { .run = run, .argument = argument + 1, .count = count - 1 };
	struct buf b = { 0 };

	return rule_format_finish(run, &b, write_braces(&f, argument->str, 1, &b), out);
}

bool rule_function_format(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_str spec = { "", 0 };
	struct buf b = { 0 };

	if (count > 1) {
		if (argument[1].type != RULE_STR)
			return rule_raise(run, "TypeError: format() argument 2 must be str, not %s",
				rule_type_name(&argument[1]));
		spec = argument[1].str;
	}
	return rule_format_finish(run, &b, rule_format(run, &b, spec, argument), out);
}
