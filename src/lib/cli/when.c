#include "cli/when.h"

#include "base/str.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { AGO_MAX = 100000 };

/* A moment within a day, or a day as a whole. */
enum form { FORM_NONE, FORM_MOMENT, FORM_DAY };

/* 0:00 of the day that is so many days from that of the moment. */
static time_t midnight(time_t moment, int days)
{
	struct tm tm;

	if (!localtime_r(&moment, &tm))
		return (time_t)-1;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_mday += days;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

/* "30m", "2h", "3d". */
static enum form ago(const char *text, time_t now, time_t *out)
{
	static const struct {
		char unit;
		long seconds;
	} units[] = { { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t length = strlen(text);
	char number[16];
	long count;

	if (length < 2 || length >= sizeof(number))
		return FORM_NONE;
	(void)snprintf(number, sizeof(number), "%.*s", (int)(length - 1), text);
	if (parse_long(number, 0, AGO_MAX, &count) < 0)
		return FORM_NONE;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text[length - 1] == units[i].unit) {
			*out = now - count * units[i].seconds;
			return units[i].unit == 'd' ? FORM_DAY : FORM_MOMENT;
		}
	return FORM_NONE;
}

/* Is the text digits where the pattern has 0, and else the same? */
static bool fits(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++)
		if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
			return false;
	return !*text;
}

static int number(const char *text, size_t at, int digits)
{
	int value = 0;

	for (; digits > 0; digits--)
		value = value * 10 + text[at++] - '0';
	return value;
}

static enum form date(const char *text, time_t *out)
{
	bool day = fits(text, "0000-00-00"), seconds = fits(text, "0000-00-00T00:00:00");
	struct tm tm = { .tm_isdst = -1 };
	int mday, month;

	if (!day && !seconds && !fits(text, "0000-00-00T00:00"))
		return FORM_NONE;
	tm.tm_year = number(text, 0, 4) - 1900;
	tm.tm_mon = month = number(text, 5, 2) - 1;
	tm.tm_mday = mday = number(text, 8, 2);
	tm.tm_hour = day ? 0 : number(text, 11, 2);
	tm.tm_min = day ? 0 : number(text, 14, 2);
	tm.tm_sec = seconds ? number(text, 17, 2) : 0;
	if (tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return FORM_NONE;
	*out = mktime(&tm);
	/* mktime(3) makes 3 March of 31 February */
	if (*out == (time_t)-1 || tm.tm_mday != mday || tm.tm_mon != month)
		return FORM_NONE;
	return day ? FORM_DAY : FORM_MOMENT;
}

static enum form form_of(const char *text, time_t now, time_t *out)
{
	enum form form;

	if (strcmp(text, "today") == 0 || strcmp(text, "yesterday") == 0) {
		*out = midnight(now, *text == 'y' ? -1 : 0);
		return *out == (time_t)-1 ? FORM_NONE : FORM_DAY;
	}
	form = ago(text, now, out);
	return form == FORM_NONE ? date(text, out) : form;
}

int when_read(const char *text, time_t now, time_t *out)
{
	return form_of(text, now, out) == FORM_NONE ? -1 : 0;
}

int when_day(const char *text, time_t now, time_t *from, time_t *until)
{
	time_t moment;

	if (form_of(text, now, &moment) != FORM_DAY)
		return -1;
	*from = midnight(moment, 0);
	*until = midnight(moment, 1);
	return *from == (time_t)-1 || *until == (time_t)-1 ? -1 : 0;
}
