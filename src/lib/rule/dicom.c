/*
 * dicom: what rules have beyond Python for DICOM's dates, times and ages (PS3.5 6.2), and
 * any_of().
 */
#include "rule/call.h"

#include <string.h>

#include "rule/run.h"
#include "rule/text.h"

/* A value without the blanks around it that PS3.5 6.2 lets be added. */
static struct rule_str trimmed(struct rule_str s)
{
	while (s.length > 0 && s.data[s.length - 1] == ' ')
		s.length--;
	for (; s.length > 0 && *s.data == ' '; s.length--)
		s.data++;
	return s;
}

/* The next count digits of s, which is cut at its front. */
static bool digits(struct rule_str *s, size_t count, int *value)
{
	*value = 0;
	if (s->length < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (s->data[i] < '0' || s->data[i] > '9')
			return false;
		*value = *value * 10 + s->data[i] - '0';
	}
	*s = (struct rule_str){ s->data + count, s->length - count };
	return true;
}

/* Steps over c when it is next. */
static bool skip(struct rule_str *s, char c)
{
	if (c == '\0' || s->length == 0 || *s->data != c)
		return false;
	*s = (struct rule_str){ s->data + 1, s->length - 1 };
	return true;
}

static bool need_str(struct rule_run *run, const struct rule_value *v, const char *name)
{
	return v->type == RULE_STR ||
	       rule_raise(run, "TypeError: %s() argument must be str, not %s", name,
		       rule_type_name(v));
}

/* ---- date ---- */

struct date {
	int year, month, day;
};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_length(int year, int month)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return lengths[month - 1] + (month == 2 && is_leap(year));
}

/* Days since the last day of the year 0: Python's date.toordinal(). */
static int ordinal(struct date d)
{
	const int before = d.year - 1;
	int days = before * 365 + before / 4 - before / 100 + before / 400 + d.day;

	for (int month = 1; month < d.month; month++)
		days += month_length(d.year, month);
	return days;
}

/* YYYYMMDD, YYYY.MM.DD (ACR-NEMA; PS3.5 6.2 on DA) or YYYY-MM-DD (people). */
static bool read_date(struct rule_run *run, const struct rule_value *v, struct date *d)
{
	struct rule_str s = trimmed(v->str);
	char separator = '\0';

	if (digits(&s, 4, &d->year) && d->year > 0) {
		if (s.length > 0 && (*s.data == '.' || *s.data == '-'))
			separator = *s.data;
		if ((!separator || skip(&s, separator)) && digits(&s, 2, &d->month) &&
			(!separator || skip(&s, separator)) && digits(&s, 2, &d->day) &&
			s.length == 0 && d->month >= 1 && d->month <= 12 && d->day >= 1 &&
			d->day <= month_length(d->year, d->month))
			return true;
	}
	return rule_raise_value(run, "not a date YYYYMMDD", v);
}

bool rule_function_date(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct date d;

	(void)count; /* always 1 */
	if (!need_str(run, argument, "date") || !read_date(run, argument, &d))
		return false;
	*out = rule_int(ordinal(d));
	return true;
}

/* ---- time ---- */

/* .FFFFFF of a second, which may be missing. */
static bool read_fraction(struct rule_str *s, double *seconds)
{
	int value, micro = 0, unit = 100000;

	if (!skip(s, '.'))
		return true;
	if (s->length < 1 || s->length > 6)
		return false;
	for (; s->length > 0; unit /= 10) {
		if (!digits(s, 1, &value))
			return false;
		micro += value * unit;
	}
	*seconds += micro / 1e6;
	return true;
}

/* HHMMSS.FFFFFF, from the right as much as is not known may be missing; with colons (ACR-NEMA). */
static bool read_time(struct rule_str s, double *seconds)
{
	static const struct {
		int unit, max;
	} parts[] = { { 3600, 23 }, { 60, 59 }, { 1, 60 } }; /* a leap second is 60 */
	int value;

	*seconds = 0;
	for (size_t i = 0; i < 3 && (i == 0 || s.length > 0); i++) {
		if (i)
			(void)skip(&s, ':'); /* may be missing */
		if (!digits(&s, 2, &value) || value > parts[i].max)
			return false;
		*seconds += value * parts[i].unit;
		if (i == 2 && !read_fraction(&s, seconds))
			return false;
	}
	return s.length == 0;
}

bool rule_function_time(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	double seconds;

	(void)count; /* always 1 */
	if (!need_str(run, argument, "time"))
		return false;
	if (!read_time(trimmed(argument->str), &seconds))
		return rule_raise_value(run, "not a time HHMMSS", argument);
	*out = rule_float(seconds);
	return true;
}

/* ---- age ---- */

/* nnnD, nnnW, nnnM or nnnY; leading zeros may be missing. */
static bool age_of(struct rule_run *run, const struct rule_value *v, struct rule_value *out)
{
	static const char units[] = "DWMY";
	static const double years[] = { 1 / 365.25, 7 / 365.25, 1 / 12.0, 1 };
	struct rule_str s = trimmed(v->str);
	const char *unit = s.length > 1 ? strchr(units, s.data[s.length - 1]) : NULL;
	int value;

	if (!unit || s.data[s.length - 1] == '\0' || s.length > 4 ||
		!digits(&s, s.length - 1, &value))
		return rule_raise_value(run, "not an age such as 045Y", v);
	*out = rule_float(value * years[unit - units]);
	return true;
}

/* Who was born on 29 February has the birthday on 1 March in other years. */
static int birthday(struct date birth, int year)
{
	birth.year = year;
	if (birth.day > month_length(year, birth.month))
		birth = (struct date){ year, birth.month + 1, 1 };
	return ordinal(birth);
}

/* Whole years are exact: at 18.0 it is the eighteenth birthday. */
static bool age_at(struct rule_run *run, struct date birth, struct date at, struct rule_value *out)
{
	const int today = ordinal(at);
	int years = at.year - birth.year, last = birthday(birth, at.year), next;

	if (today < ordinal(birth))
		return rule_raise(run, "ValueError: age() before birth");
	if (last > today) {
		years--;
		next = last;
		last = birthday(birth, at.year - 1);
	} else {
		next = birthday(birth, at.year + 1);
	}
	*out = rule_float(years + (double)(today - last) / (next - last));
	return true;
}

bool rule_function_age(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct date birth, at;

	for (size_t i = 0; i < count; i++)
		if (!need_str(run, &argument[i], "age"))
			return false;
	if (count == 1)
		return age_of(run, argument, out);
	return read_date(run, argument, &birth) && read_date(run, argument + 1, &at) &&
	       age_at(run, birth, at, out);
}

/* ---- any_of ---- */

bool rule_function_any_of(struct rule_run *run, const struct rule_value *argument, size_t count,
	struct rule_value *out)
{
	struct rule_value whole, part;

	if (!rule_is_items(argument))
		return rule_raise(run, "TypeError: any_of() expected a list of words, got '%s'",
			rule_type_name(argument));
	if (!need_str(run, argument + 1, "any_of") ||
		!rule_method_casefold(run, argument + 1, 1, &whole))
		return false;
	*out = rule_bool(false);
	for (size_t i = 0; i < argument->items.count && !out->integer; i++) {
		if (!need_str(run, &argument->items.item[i], "any_of") ||
			!rule_charge(run, 1 + whole.str.length / RULE_STEP_BYTES) ||
			!rule_method_casefold(run, &argument->items.item[i], count - 1, &part))
			return false;
		*out = rule_bool(rule_text_find(whole.str, part.str, 0) != SIZE_MAX);
	}
	return true;
}
