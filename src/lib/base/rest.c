#include "base/rest.h"

#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct rest_entry {
	char *name, *of;
	int64_t until_ms; /* clock_monotonic_ms() */
};

static int compare(const struct rest_entry *entry, const char *name, const char *of)
{
	int order = strcmp(entry->name, name);

	return order ? order : strcmp(entry->of, of);
}

/* Where the pair is in the table, or would be. */
static size_t find(const struct rest *rest, const char *name, const char *of, bool *found)
{
	size_t low = 0, high = rest->count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(&rest->entry[middle], name, of);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void free_entry(struct rest_entry *entry)
{
	free(entry->name);
	free(entry->of);
}

static void forget_rested(struct rest *rest)
{
	int64_t now_ms = clock_monotonic_ms();
	size_t kept = 0;

	for (size_t i = 0; i < rest->count; i++)
		if (rest->entry[i].until_ms > now_ms)
			rest->entry[kept++] = rest->entry[i];
		else
			free_entry(&rest->entry[i]);
	rest->count = kept;
}

static int insert(struct rest *rest, size_t at, struct rest_entry entry)
{
	struct rest_entry *more = realloc(rest->entry, (rest->count + 1) * sizeof(*more));

	if (more)
		rest->entry = more;
	if (!more || !entry.name || !entry.of) {
		free_entry(&entry);
		errno = ENOMEM;
		return -1;
	}
	memmove(more + at + 1, more + at, (rest->count - at) * sizeof(*more));
	more[at] = entry;
	rest->count++;
	return 0;
}

int rest_add(struct rest *rest, const char *name, const char *of)
{
	int64_t until_ms = clock_monotonic_ms() + rest->length_ms;
	bool found;
	size_t at;

	of = of ? of : "";
	forget_rested(rest);
	at = find(rest, name, of, &found);
	if (found) {
		rest->entry[at].until_ms = until_ms;
		return 0;
	}
	return insert(rest, at,
		(struct rest_entry){
			.name = strdup(name), .of = strdup(of), .until_ms = until_ms });
}

int64_t rest_until(const struct rest *rest, const char *name, const char *of)
{
	bool found;
	size_t at = find(rest, name, of ? of : "", &found);

	if (!found || clock_left_ms(rest->entry[at].until_ms) == 0)
		return 0;
	return clock_wall_us(rest->entry[at].until_ms);
}

size_t rest_count(const struct rest *rest, int64_t *first_us)
{
	int64_t now_ms = clock_monotonic_ms(), first_ms = 0;
	size_t count = 0;

	for (size_t i = 0; i < rest->count; i++) {
		if (rest->entry[i].until_ms <= now_ms)
			continue;
		first_ms = clock_earlier(first_ms, rest->entry[i].until_ms);
		count++;
	}
	if (first_us)
		*first_us = count ? clock_wall_us(first_ms) : 0;
	return count;
}

void rest_free(struct rest *rest)
{
	for (size_t i = 0; i < rest->count; i++)
		free_entry(&rest->entry[i]);
	free(rest->entry);
	rest->entry = NULL;
	rest->count = 0;
}
