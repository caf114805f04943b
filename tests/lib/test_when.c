/* when: moments and days as operators write them. */
#include "cli/when.h"

#include "tap.h"

#include <stdlib.h>
#include <string.h>

/* 2026-11-28T14:30:05, Berlin */
static const time_t now = 1795872605;

static bool reads(const char *text, time_t expected)
{
	time_t moment;

	return when_read(text, now, &moment) == 0 && moment == expected;
}

static bool is_day(const char *text, time_t from, time_t until)
{
	time_t begin, end;

	return when_day(text, now, &begin, &end) == 0 && begin == from && end == until;
}

int main(void)
{
	static const char *const bad[] = { "", "m", "2", "2x", "-2h", " 2h", "2h ", "1.5h", "2026",
		"2026-02-30", "2026-13-01", "2026-1-1", "2026-11-28T", "2026-11-28T24:00",
		"2026-11-28T14:60", "2026-11-28 14:00", "2026-11-28T14:00Z", "tomorrow", "Today",
		"99999999999999999999d", "2026-00-01", "2026-01-00" };
	const time_t day = 86400, midnight = 1795820400;
	time_t from, until;

	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	ok(reads("today", midnight) && reads("yesterday", midnight - day), "days by name");
	ok(reads("30m", now - 1800) && reads("2h", now - 7200) && reads("3d", now - 3 * day) &&
			reads("0m", now),
		"so long ago");
	ok(reads("2026-11-28", midnight) && reads("2026-11-28T14:00", midnight + 14 * 3600) &&
			reads("2026-11-28T14:00:09", midnight + 14 * 3600 + 9),
		"dates, in local time");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(when_read(bad[i], now, &from) < 0 && when_day(bad[i], now, &from, &until) < 0,
			bad[i]);
	ok(is_day("today", midnight, midnight + day) &&
			is_day("2026-11-28", midnight, midnight + day),
		"a day from its midnight to the next");
	ok(is_day("3d", midnight - 3 * day, midnight - 2 * day), "the day of three days ago");
	ok(is_day("2026-10-25", 1792879200, 1792879200 + 25 * 3600), "one of 25 hours");
	ok(is_day("2026-03-29", 1774738800, 1774738800 + 23 * 3600), "one of 23");
	ok(when_day("2h", now, &from, &until) < 0 &&
			when_day("2026-11-28T14:00", now, &from, &until) < 0,
		"a moment is no day");
	return tap_done();
}
