#include "cli/moment.h"

#include <stdbool.h>
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

static bool is_today(const struct tm *tm)
{
	const struct tm now = local(clock_now_us());

	return now.tm_year == tm->tm_year && now.tm_yday == tm->tm_yday;
}

void moment_text(int64_t time_us, char *out, size_t size)
{
	const struct tm tm = local(time_us);

	*out = '\0';
	if (time_us < 0)
		return;
	if (is_today(&tm))
		(void)strftime(out, size, "%T", &tm); /* MOMENT_SIZE has room */
	else
		(void)strftime(out, size, "%F %H:%M", &tm);
}

void moment_short(int64_t time_us, char *out, size_t size)
{
	const struct tm tm = local(time_us), now = local(clock_now_us());

	*out = '\0';
	if (time_us < 0)
		return;
	if (is_today(&tm))
		(void)strftime(out, size, "%T", &tm);
	else if (tm.tm_year == now.tm_year)
		(void)strftime(out, size, "%b %e %H:%M", &tm);
	else
		(void)strftime(out, size, "%F", &tm);
}

void moment_full(int64_t time_us, char *out, size_t size)
{
	const struct tm tm = local(time_us);

	*out = '\0';
	if (time_us >= 0)
		(void)strftime(out, size, "%F %T", &tm);
}
