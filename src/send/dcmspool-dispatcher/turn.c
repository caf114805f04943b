/*
 * Which priority and which target is looked at first. Urgent jobs go first, but when others have
 * been passed over often enough it is their turn, so that they move also when urgent ones never
 * end. Among targets the one with the oldest job of that priority is first.
 */
#include "dispatcher.h"

#include "base/hours.h"
#include "spool/job.h"
#include "base/log.h"
#include "conf/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often jobs of a priority are passed over before one of them goes first. */
static const unsigned int patience[JOB_PRIORITIES] = { [JOB_NORMAL] = 3, [JOB_OFFPEAK] = 15 };
enum { UNKNOWN_US = 1000000 };

/* After so many jobs that were preferred to those of paused targets, these have their turn. */
enum { DEFERRED_MAX = 8 };

/* What waits for one target. Only a hint: the choice is made under the queue's lock. */
struct candidate {
	const struct conf_target *target;
	char oldest[JOB_PRIORITIES][128]; /* "" when none may go at this time of the day */
	int64_t newest_us;                /* the last job's time */
	long running;                     /* jobs in sending/, whoever sends them */
	bool is_paused;                   /* it has failed, and has answered nothing since */
};

static void note(struct candidate *c, const char *name)
{
	char *oldest = c->oldest[job_priority(name)];
	int64_t time_us;

	if (!queue_is_job(name))
		return; /* a directory that somebody named otherwise is a job, too */
	if (!*oldest)
		memcpy(oldest, name, strlen(name) + 1);
	time_us = spool_stamp_time(name);
	if (time_us > c->newest_us)
		c->newest_us = time_us;
}

/* Takes those out whose hours have not come. */
static void close_hours(struct dispatcher *d, struct candidate *c)
{
	int64_t now_us = spool_now_us(), open_us;

	for (int p = 0; p < JOB_PRIORITIES; p++) {
		if (!*c->oldest[p])
			continue;
		open_us = hours_next_us(c->target->hours[p], now_us);
		if (open_us <= now_us)
			continue;
		look_again(d, open_us);
		c->oldest[p][0] = '\0';
	}
}

/* The jobs in sending/<target>/, whoever sends them. */
static long count_running(struct dispatcher *d, const char *target)
{
	int dir = disk_open_dir(d->spool.dir[SPOOL_SENDING], target);
	struct disk_names names;
	long running = 0;

	if (dir < 0)
		return 0;
	if (disk_list(dir, ".", &names) == 0)
		for (size_t i = 0; i < names.count; i++)
			running +=
				job_study(names.name[i]) && queue_is_claimable(dir, names.name[i]);
	disk_names_free(&names);
	(void)close(dir); /* only read */
	return running;
}

/* A target that has its connections needs no look at what waits for it. */
static void survey(struct dispatcher *d, struct candidate *c)
{
	const char *target = c->target->name;
	struct disk_names names;
	char paused[300];

	if (queue_held(d, target))
		return;
	(void)snprintf(paused, sizeof(paused), "%s/paused.json", target);
	c->is_paused = disk_exists(d->spool.dir[SPOOL_OUTGOING], paused) == 1;
	c->running = count_running(d, target);
	if (c->running >= target_jobs(c->target))
		return;
	if (disk_list(d->spool.dir[SPOOL_OUTGOING], target, &names) == 0)
		for (size_t i = 0; i < names.count; i++)
			note(c, names.name[i]);
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
	d->upstream.before_us = before_us;
	d->upstream_unknown = before_us > 0 && upstream_look(d, before_us) < 0;
	if (d->upstream_unknown)
		look_again(d, spool_now_us() + UNKNOWN_US);
}

static enum job_priority sorted_by; /* qsort(3) has no argument for it */

static int by_age(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	return strcmp(left->oldest[sorted_by], right->oldest[sorted_by]);
}

/* The last dispatcher that is free, if that is so, is not for targets that may keep it waiting
 * until a time-out, as long as there is other work. */
static bool is_last_free(struct dispatcher *d, const struct candidate *c, size_t count)
{
	long running = 0, instances = d->conf->dispatcher.instances;

	for (size_t i = 0; i < count; i++)
		running += c[i].running;
	return instances > 1 && running >= instances - 1 && d->deferred < DEFERRED_MAX;
}

static bool has_candidate(const struct candidate *c)
{
	for (int p = 0; p < JOB_PRIORITIES; p++)
		if (*c->oldest[p])
			return true;
	return false;
}

/* Claims a job of this priority; not of paused targets when these are deferred. */
static bool claim_priority(struct dispatcher *d, struct candidate *c, size_t count,
	enum job_priority priority, bool deferring, struct work *work)
{
	sorted_by = priority;
	qsort(c, count, sizeof(*c), by_age);
	for (size_t i = 0; i < count; i++)
		if (*c[i].oldest[priority] && !(deferring && c[i].is_paused) &&
			queue_claim_from(d, c[i].target, priority, work))
			return true;
	return false;
}

/* Jobs of dispatchers that died, of targets from which nothing is about to be claimed. */
static bool take_over(
	struct dispatcher *d, const struct candidate *c, size_t count, struct work *work)
{
	for (size_t i = 0; i < count; i++)
		if (c[i].running > 0 && !has_candidate(&c[i]) &&
			queue_claim_from(d, c[i].target, JOB_PRIORITIES, work))
			return true;
	return false;
}

/* How far beyond its patience a priority is: 0 while it has some left. */
static unsigned int impatience(const struct dispatcher *d, enum job_priority p)
{
	return patience[p] > 0 ? d->passed_over[p] / patience[p] : 0;
}

/* The priorities in the order of this turn. */
static void order_of_turn(const struct dispatcher *d, enum job_priority order[JOB_PRIORITIES])
{
	for (int p = 0; p < JOB_PRIORITIES; p++) {
		int at = p;

		for (; at > 0 && impatience(d, order[at - 1]) < impatience(d, p); at--)
			order[at] = order[at - 1];
		order[at] = p;
	}
}

/* Counts who waits although a job of this priority was taken. */
static void count_passed_over(
	struct dispatcher *d, const struct candidate *c, size_t count, enum job_priority taken)
{
	d->passed_over[taken] = 0;
	for (int p = taken + 1; p < JOB_PRIORITIES; p++)
		for (size_t i = 0; i < count; i++)
			if (*c[i].oldest[p]) {
				d->passed_over[p]++;
				break;
			}
}

/* The same for targets that were deferred. */
static void count_deferred(
	struct dispatcher *d, const struct candidate *c, size_t count, bool deferring)
{
	bool waits = false;

	for (size_t i = 0; i < count; i++)
		waits |= c[i].is_paused && has_candidate(&c[i]);
	d->deferred = deferring && waits ? d->deferred + 1 : 0;
}

static bool claim(struct dispatcher *d, struct candidate *c, size_t count, struct work *work)
{
	enum job_priority order[JOB_PRIORITIES];
	bool deferring = is_last_free(d, c, count), claimed = false;

	order_of_turn(d, order);
	for (int i = 0; i < JOB_PRIORITIES && deferring && !claimed; i++)
		claimed = claim_priority(d, c, count, order[i], true, work);
	deferring = deferring && claimed;
	for (int i = 0; i < JOB_PRIORITIES && !claimed; i++)
		claimed = claim_priority(d, c, count, order[i], false, work);
	if (claimed) {
		count_passed_over(d, c, count, job_priority(work->job));
		count_deferred(d, c, count, deferring);
	}
	return claimed;
}

bool turn_claim(struct dispatcher *d, struct work *work)
{
	size_t count = d->conf->target_count;
	struct candidate *c = calloc(count + 1, sizeof(*c));
	bool claimed;

	if (!c)
		die(EXIT_TEMPORARY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		c[i].target = &d->conf->target[i];
		survey(d, &c[i]);
	}
	look_upstream(d, c, count);
	claimed = take_over(d, c, count, work) || claim(d, c, count, work);
	free(c);
	return claimed;
}
