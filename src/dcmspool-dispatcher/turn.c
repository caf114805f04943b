/*
 * Which priority and which target is looked at first. Urgent jobs go first, but when others have been passed over
 * often enough it is their turn, so that they move also when urgent ones never end. Among targets the one with
 * the oldest job of that priority is first.
 */
#include "dispatcher.h"

#include "hours.h"
#include "job.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How often jobs of a priority are passed over before one of them goes first. */
static const unsigned int patience[CONF_PRIORITIES] = { [CONF_NORMAL] = 3, [CONF_OFFPEAK] = 15 };
enum { UNKNOWN_US = 1000000 };

/* What waits for one target. Only a hint: the choice is made under the queue's lock. */
struct candidate {
	const struct conf_target *target;
	char oldest[CONF_PRIORITIES][128]; /* "" when none may go at this time of the day */
	int64_t newest_us;                 /* the last job's time */
	bool is_waiting;                   /* something is in outgoing/ */
	bool is_running;                   /* something is in sending/ */
};

static void note(struct candidate *c, const char *name)
{
	char *oldest = c->oldest[job_priority(name)];

	/* A directory that somebody named otherwise is a job too. */
	if (!queue_is_job(name) || strcmp(name, "held") == 0 || strcmp(name, "paused.json") == 0)
		return;
	if (!*oldest)
		memcpy(oldest, name, strlen(name) + 1);
	if (spool_stamp_time(name) > c->newest_us)
		c->newest_us = spool_stamp_time(name);
	c->is_waiting = true;
}

/* Takes those out whose hours have not come. */
static void close_hours(struct dispatcher *d, struct candidate *c)
{
	int64_t now_us = spool_now_us(), open_us;

	for (int p = 0; p < CONF_PRIORITIES; p++) {
		if (!*c->oldest[p])
			continue;
		open_us = hours_next_us(c->target->hours[p], now_us);
		if (open_us <= now_us)
			continue;
		look_again(d, open_us);
		c->oldest[p][0] = '\0';
	}
}

static void survey(struct dispatcher *d, struct candidate *c)
{
	struct disk_names names;

	if (queue_held(d, c->target->name))
		return;
	if (disk_list(d->spool.dir[SPOOL_OUTGOING], c->target->name, &names) == 0)
		for (size_t i = 0; i < names.count; i++)
			note(c, names.name[i]);
	disk_names_free(&names);
	if (disk_list(d->spool.dir[SPOOL_SENDING], c->target->name, &names) == 0)
		c->is_running = names.count > 0;
	disk_names_free(&names);
	close_hours(d, c);
}

/* The series on their way, as far as they matter to the jobs that wait. */
static void look_upstream(struct dispatcher *d, const struct candidate *c, size_t count)
{
	int64_t before_us = 0;

	for (size_t i = 0; i < count; i++)
		if (c[i].target->order == CONF_ORDER_STUDY && c[i].newest_us > before_us)
			before_us = c[i].newest_us;
	d->upstream.count = 0;
	d->upstream_unknown = before_us > 0 && upstream_look(d, before_us) < 0;
	if (d->upstream_unknown)
		look_again(d, spool_now_us() + UNKNOWN_US);
}

static enum conf_priority sorted_by; /* qsort(3) has no argument for it */

static int by_age(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	return strcmp(left->oldest[sorted_by], right->oldest[sorted_by]);
}

static bool claim_priority(struct dispatcher *d, struct candidate *c, size_t count,
	enum conf_priority priority, struct work *work)
{
	sorted_by = priority;
	qsort(c, count, sizeof(*c), by_age);
	for (size_t i = 0; i < count; i++)
		if (*c[i].oldest[priority] && queue_claim_from(d, c[i].target, priority, work))
			return true;
	return false;
}

/* Jobs of dispatchers that died, of targets for which nothing waits. */
static bool take_over(
	struct dispatcher *d, const struct candidate *c, size_t count, struct work *work)
{
	for (size_t i = 0; i < count; i++)
		if (c[i].is_running && !c[i].is_waiting &&
			queue_claim_from(d, c[i].target, CONF_PRIORITIES, work))
			return true;
	return false;
}

static enum conf_priority whose_turn(const struct dispatcher *d)
{
	for (int p = CONF_PRIORITIES - 1; p > CONF_URGENT; p--)
		if (d->passed_over[p] >= patience[p])
			return p;
	return CONF_URGENT;
}

/* Counts whom a job of this priority was preferred to. */
static void count_passed_over(
	struct dispatcher *d, const struct candidate *c, size_t count, enum conf_priority taken)
{
	for (int p = 0; p < CONF_PRIORITIES; p++) {
		bool waits = false;

		for (size_t i = 0; i < count; i++)
			waits |= *c[i].oldest[p] != '\0';
		if (!waits || p == (int)taken)
			d->passed_over[p] = 0;
		else if (p > (int)taken)
			d->passed_over[p]++;
	}
}

bool turn_claim(struct dispatcher *d, struct work *work)
{
	size_t count = d->conf->target_count;
	struct candidate *c = calloc(count + 1, sizeof(*c));
	enum conf_priority first = whose_turn(d);
	bool claimed;

	if (!c)
		die(EXIT_TEMPORARY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		c[i].target = &d->conf->target[i];
		survey(d, &c[i]);
	}
	look_upstream(d, c, count);
	claimed = take_over(d, c, count, work) || claim_priority(d, c, count, first, work);
	for (int p = 0; p < CONF_PRIORITIES && !claimed; p++)
		if (p != (int)first)
			claimed = claim_priority(d, c, count, p, work);
	if (claimed)
		count_passed_over(d, c, count, job_priority(work->job));
	free(c);
	return claimed;
}
