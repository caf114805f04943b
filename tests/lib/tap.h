/* tap: the whole of what the unit tests need to speak TAP. Each test_*.c has a main() that calls
 * ok() for each check and returns tap_done(). */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>
#include <stdio.h>

static int tap_count, tap_failures;

static inline bool tap_check(bool passed, const char *what, const char *file, int line)
{
	tap_count++;
	tap_failures += !passed;
	printf("%sok %d - %s\n", passed ? "" : "not ", tap_count, what);
	if (!passed)
		printf("# at %s:%d\n", file, line);
	return passed;
}
#define ok(condition, what) tap_check((condition), (what), __FILE__, __LINE__)

static inline int tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failures ? 1 : 0;
}

#endif
