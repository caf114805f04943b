#include "spool/group.h"

#include <stdlib.h>
#include <string.h>

#include "spool/job.h"

/* What a place is known by. */
static const char *known_as(const struct place *place)
{
	return place->job ? place->job : place->name;
}

/* How many characters of that are its series'. */
static size_t key_length(const char *name)
{
	size_t job = job_base(name);

	return job ? job : strlen(name);
}

static int by_key(const void *a, const void *b)
{
	const struct place *left = a, *right = b;
	const char *a_name = known_as(left), *b_name = known_as(right);
	size_t n = key_length(a_name), m = key_length(b_name);
	int order = memcmp(a_name, b_name, n < m ? n : m);

	if (order == 0)
		order = (n > m) - (n < m);
	if (order == 0)
		order = (int)left->stage - (int)right->stage;
	if (order == 0 && left->target && right->target)
		order = strcmp(left->target, right->target);
	return order ? order : strcmp(left->name, right->name);
}

static bool same_series(const struct place *a, const struct place *b)
{
	size_t n = key_length(known_as(a));

	return n == key_length(known_as(b)) && memcmp(known_as(a), known_as(b), n) == 0;
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->stage == b->stage && a->target == b->target && strcmp(a->name, b->name) == 0;
}

/* Those that a check leaves, the first ones of place. Returns their number. */
static size_t keep(const struct spool *spool, struct place *place, size_t count,
	bool (*stays)(const struct spool *spool, const struct place *kept, size_t count,
		const struct place *one))
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (stays(spool, place, kept, &place[i])) {
			place[kept++] = place[i];
			continue;
		}
		free(place[i].name);
		free(place[i].job);
	}
	return kept;
}

/* The first queues were looked at twice. Places are sorted. */
static bool is_new(
	const struct spool *spool, const struct place *kept, size_t count, const struct place *one)
{
	(void)spool; /* it has been read */
	return count == 0 || !same_place(&kept[count - 1], one);
}

static bool is_there(
	const struct spool *spool, const struct place *kept, size_t count, const struct place *one)
{
	(void)kept, (void)count; /* of this one alone */
	return spool_stage[one->stage].holds == STAGE_ENDED || place_exists(spool, one) != 0;
}

/* A series in several places may be in one of them no longer. */
static size_t settle(const struct spool *spool, struct place *place, size_t count)
{
	count = keep(spool, place, count, is_new);
	return count > 1 ? keep(spool, place, count, is_there) : count;
}

static int add_item(const struct spool *spool, struct walk *walk, struct place *place, size_t count)
{
	struct item *item = &walk->item[walk->count];

	*item = (struct item){ .place = place,
		.count = count,
		.name = strndup(known_as(place), key_length(known_as(place))),
		.time_us = spool_stamp_time(known_as(place)) };
	if (!item->name)
		return -1;
	walk->count++;
	if (item->time_us < 0)
		(void)item_series(spool, item); /* a batch: few of them */
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct item *left = a, *right = b;

	if (left->time_us != right->time_us)
		/* -1 is the greatest so */
		return (uint64_t)left->time_us < (uint64_t)right->time_us ? -1 : 1;
	return strcmp(left->name, right->name);
}

int group_places(const struct spool *spool, struct walk *walk)
{
	struct place *place = walk->place;
	size_t total = walk->places, kept = 0;
	int result = 0;

	walk->item = calloc(total + 1, sizeof(*walk->item));
	if (!walk->item)
		return -1;
	if (total > 1)
		qsort(place, total, sizeof(*place), by_key);
	for (size_t i = 0, end; i < total; i = end) {
		size_t count;

		for (end = i + 1; end < total && same_series(&place[i], &place[end]); end++)
			;
		count = settle(spool, &place[i], end - i);
		memmove(&place[kept], &place[i], count * sizeof(*place));
		if (count > 0 && result == 0)
			result = add_item(spool, walk, &place[kept], count);
		kept += count;
	}
	walk->places = kept;
	if (walk->count > 1)
		qsort(walk->item, walk->count, sizeof(*walk->item), by_time);
	return result;
}
