#include "base/hours.h"

#include <time.h>

/* "HH:MM" in minutes, 00:00 to 24:00, or -1; *rest is what follows. */
static int minute_of_day(const char *p, const char **rest)
{
	int minute;

	if (p[0] < '0' || p[0] > '2' || p[1] < '0' || p[1] > '9' || p[2] != ':' || p[3] < '0' ||
		p[3] > '5' || p[4] < '0' || p[4] > '9')
		return -1;
	minute = ((p[0] - '0') * 10 + p[1] - '0') * 60 + (p[3] - '0') * 10 + p[4] - '0';
	*rest = p + 5;
	return minute <= 24 * 60 ? minute : -1;
}

int hours_read(const char *text, int *from_min, int *to_min)
{
	*from_min = minute_of_day(text, &text);
	if (*from_min < 0 || *text != '-')
		return -1;
	*to_min = minute_of_day(text + 1, &text);
	return *to_min < 0 || *text || *from_min == *to_min ? -1 : 0;
}

int64_t hours_next_us(const char *text, int64_t time_us)
{
	time_t seconds = (time_t)(time_us / 1000000);
	int from_min, to_min, minute;
	struct tm tm;

	if (hours_read(text, &from_min, &to_min) < 0 || !localtime_r(&seconds, &tm))
		return time_us;
	minute = tm.tm_hour * 60 + tm.tm_min;
	if (from_min < to_min ? minute >= from_min && minute < to_min
			      : minute >= from_min || minute < to_min)
		return time_us;
	tm.tm_hour = from_min / 60;
	tm.tm_min = from_min % 60;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	tm.tm_mday += minute >= from_min; /* today's have passed */
	return (int64_t)mktime(&tm) * 1000000;
}
