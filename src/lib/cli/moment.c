#include "cli/moment.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static const int64_t second_us = 1000000;

static struct tm local(int64_t time_us)
{
	time_t seconds = (time_t)(time_us / second_us);
	struct tm tm = { 0 };

	(void)localtime_r(&seconds, &tm); /* cannot fail before the year 2^31 */
	return tm;
}

void moment_text(int64_t time_us, char *out, size_t size)
{
	const struct tm now = local(clock_now_us()), tm = local(time_us);

	*out = '\0';
	if (time_us < 0)
		return;
	/* MOMENT_SIZE has room */
	if (now.tm_year == tm.tm_year && now.tm_yday == tm.tm_yday)
		(void)strftime(out, size, "%T", &tm);
	else
		(void)strftime(out, size, "%F %H:%M", &tm);
}

void moment_full(int64_t time_us, char *out, size_t size)
{
	const struct tm tm = local(time_us);

	*out = '\0';
	if (time_us >= 0)
		(void)strftime(out, size, "%F %T", &tm);
}

void moment_span(int64_t span_us, char *out, size_t size)
{
	static const struct {
		long from_s, unit_s;
		const char *name;
	} units[] = { { 2 * 86400, 86400, "days" }, { 2 * 3600, 3600, "h" }, { 120, 60, "min" },
		{ 0, 1, "s" } };
	long seconds = (long)(span_us / second_us);
	size_t i = 0;

	while (seconds < units[i].from_s && units[i].from_s > 0)
		i++;
	(void)snprintf(out, size, "%ld %s", seconds / units[i].unit_s, units[i].name);
}
