#define _GNU_SOURCE /* strcasestr */
#include "base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Longer words are never near: keywords of PS3.6 have at most 64 characters. */
enum { LONGEST = 64 };
enum { PART_LEAST = 3 }; /* letters of a name that tell which one was meant */

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, two neighbours swapped being one step (optimal string alignment). */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][LONGEST + 1], *before = rows[0], *last = rows[1], *row = rows[2];
	size_t n = strlen(a), m = strlen(b);

	if (n > LONGEST || m > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= m; j++)
		before[j] = last[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t cost = last[j - 1] + !same(a[i - 1], b[j - 1]);

			cost = least(cost, least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
				cost = least(cost, before[j - 2] + 1);
			row[j] = cost;
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[m];
}

/* Twice the distance; less where one begins with the other's letters, or has them in it: half of a
 * name is what somebody writes who does not know the rest. LONGEST: not near. */
static size_t farness(const char *word, const char *candidate)
{
	size_t length = strlen(word), other = strlen(candidate), limit = 1 + length / 3, d;

	if (length >= PART_LEAST && strncasecmp(candidate, word, length) == 0 && other > length)
		return 1;
	/* The dictionary has thousands of names: most are too long or too short to be near. */
	if (other <= length + limit && length <= other + limit) {
		d = distance(word, candidate);
		if (d <= limit && d < other)
			return 2 * d;
	}
	return length > PART_LEAST && strcasestr(candidate, word) ? 2 : LONGEST;
}

static bool listed(const struct nearest *nearest, const char *candidate)
{
	for (size_t i = 0; i < nearest->count; i++)
		if (strcasecmp(nearest->best[i], candidate) == 0)
			return true;
	return false;
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
	size_t at = nearest->count, d = farness(nearest->word, candidate);

	if (d == LONGEST || listed(nearest, candidate))
		return;
	while (at > 0 && d < nearest->distance[at - 1])
		at--;
	if (at == NEAREST_MAX)
		return;
	if (nearest->count < NEAREST_MAX)
		nearest->count++;
	for (size_t i = nearest->count - 1; i > at; i--) {
		nearest->best[i] = nearest->best[i - 1];
		nearest->distance[i] = nearest->distance[i - 1];
	}
	nearest->best[at] = candidate;
	nearest->distance[at] = d;
}

const char *nearest_hint(const struct nearest *nearest, char *out, size_t size)
{
	size_t count = 0, used;

	/* What is farther than the best by more than one step was hardly meant. */
	while (count < nearest->count && nearest->distance[count] <= nearest->distance[0] + 2)
		count++;
	*out = '\0';
	for (size_t i = 0; i < count; i++) {
		used = strlen(out);
		(void)snprintf(out + used, size - used, "%s%s%s", /* names are short */
			i == 0          ? "; did you mean "
			: i + 1 < count ? ", "
					: " or ",
			nearest->best[i], i + 1 < count ? "" : "?");
	}
	return out;
}
