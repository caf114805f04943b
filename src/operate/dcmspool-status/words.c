/* Sizes, spans of time and ends, in a few letters. */
#include <stdio.h>

#include "base/run.h"
#include "status.h"

void size_text(double bytes, char out[SIZE_SIZE])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	size_t unit = 0;

	while (bytes >= 1024 && unit + 1 < sizeof(units) / sizeof(*units)) {
		bytes /= 1024;
		unit++;
	}
	(void)snprintf(out, SIZE_SIZE, "%.*f %s", unit && bytes < 100 ? 1 : 0, bytes, units[unit]);
}

void span_text(int64_t span_us, char out[SIZE_SIZE])
{
	static const struct {
		const char *unit;
		long long seconds;
	} units[] = { { "d", 86400 }, { "h", 3600 }, { "min", 60 }, { "s", 1 } };
	long long seconds = span_us > 0 ? span_us / 1000000 : 0;
	size_t i = 0;

	while (i + 1 < sizeof(units) / sizeof(*units) && seconds < 2 * units[i].seconds)
		i++;
	(void)snprintf(out, SIZE_SIZE, "%lld %s", seconds / units[i].seconds, units[i].unit);
}

void end_text(unsigned char how, char out[SIZE_SIZE])
{
	(void)snprintf(out, SIZE_SIZE, "%s %d", how > RUN_SIGNALLED ? "signal" : "exit",
		how > RUN_SIGNALLED ? how - RUN_SIGNALLED : how);
}
