#include "words.h"

#include <stdio.h>
#include <string.h>

static void with_unit(double value, const char *unit, char out[WORDS_SIZE])
{
	(void)snprintf(out, WORDS_SIZE, value < 9.95 ? "%.1f %s" : "%.0f %s", value, unit);
}

void words_delay(int64_t us, char out[WORDS_SIZE])
{
	static const struct {
		double seconds, from;
		const char *unit;
	} units[] = { { 86400, 2 * 86400, "d" }, { 3600, 5400, "h" }, { 60, 99.5, "min" },
		{ 1, 0, "s" } };
	const double seconds = (double)us / 1000000;

	*out = '\0';
	for (size_t i = 0; us >= 0 && i < sizeof(units) / sizeof(*units); i++)
		if (seconds >= units[i].from) {
			with_unit(seconds / units[i].seconds, units[i].unit, out);
			return;
		}
}

void words_bytes(long long bytes, char out[WORDS_SIZE])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes;
	size_t i = 0;

	for (; value >= 999.5 && i + 1 < sizeof(units) / sizeof(*units); i++)
		value /= 1000;
	if (i == 0)
		(void)snprintf(out, WORDS_SIZE, "%lld B", bytes);
	else
		with_unit(value, units[i], out);
}

void words_number(long long number, const char *between, char out[WORDS_SIZE])
{
	char digits[WORDS_SIZE];
	size_t length, used = 0;

	(void)snprintf(digits, sizeof(digits), "%lld", number);
	length = strlen(digits);
	for (size_t i = 0; i < length; i++)
		used += (size_t)snprintf(out + used, WORDS_SIZE - used, "%s%c",
			i > 0 && (length - i) % 3 == 0 ? between : "", digits[i]);
}
