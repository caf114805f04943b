#include "base/clock.h"

#include <limits.h>
#include <sys/stat.h>
#include <time.h>

static int64_t in_us(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
	return in_us(now);
}

int64_t clock_mtime_us(const struct stat *st)
{
	return in_us(st->st_mtim);
}

int64_t clock_ctime_us(const struct stat *st)
{
	return in_us(st->st_ctim);
}

int64_t clock_earlier(int64_t a_us, int64_t b_us)
{
	if (a_us == 0 || b_us == 0)
		return a_us + b_us;
	return a_us < b_us ? a_us : b_us;
}

bool clock_is_due(int64_t due_us, int64_t longest_us)
{
	int64_t now_us = clock_now_us();

	return due_us != 0 && (due_us <= now_us || due_us > now_us + longest_us);
}

int64_t clock_monotonic_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return in_us(now) / 1000;
}

int64_t clock_wall_us(int64_t deadline_ms)
{
	return clock_now_us() + (deadline_ms - clock_monotonic_ms()) * 1000;
}

int clock_left_ms(int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - clock_monotonic_ms();

	if (left_ms < 0)
		return 0;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}
