/*
 * Urgent jobs go first, but when others have been passed over often enough it is their turn, so
 * that they move also when urgent ones never end. Among targets the one with the oldest job of that
 * priority is first.
 */
#include "turn.h"

#include "base/clock.h"
#include "base/hours.h"
#include "base/log.h"
#include "claim.h"
#include "conf/target.h"
#include "dispatcher.h"
#include "strays.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often jobs of a priority are passed over before one of them goes first; 0: never. */
static const unsigned int patience[JOB_PRIORITIES] = { [JOB_NORMAL] = 3, [JOB_OFFPEAK] = 15 };
enum { UNKNOWN_US = 1000000 };

/* What waits for one target. Only a hint: the choice is made under the queue's lock. */
struct candidate {
	const struct conf_target *target;
	char oldest[JOB_PRIORITIES][QUEUE_NAME_SIZE]; /* "" when none may go at this time of day */
	int64_t newest_us;                            /* the last job's time */
	long running;                                 /* jobs in sending/, whoever sends them */
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
	int64_t now_us = clock_now_us(), open_us;

	for (int p = 0; p < JOB_PRIORITIES; p++) {
		if (!*c->oldest[p])
			continue;
		open_us = hours_next_us(c->target->hours[p], now_us);
		if (open_us <= now_us)
			continue;
		loop_at(&d->loop, open_us);
		c->oldest[p][0] = '\0';
	}
}

/* The jobs in sending/<target>/, whoever sends them. -1 with errno. */
static long count_running(struct dispatcher *d, int sending)
{
	struct disk_names names;
	long running = 0;

	if (disk_list(sending, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		running += queue_is_claimable(d, sending, names.name[i]);
	disk_names_free(&names);
	return running;
}

/* The oldest job of each priority that waits. -1 with errno. */
static int note_waiting(struct dispatcher *d, struct candidate *c, int outgoing)
{
	struct disk_names names;

	if (disk_list(outgoing, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		note(c, names.name[i]);
	strays_look_in_queue(d, c->target, outgoing, &names);
	disk_names_free(&names);
	return 0;
}

/* A target that has its connections needs no look at what waits for it. */
static void survey(struct dispatcher *d, struct candidate *c)
{
	int outgoing = disk_open_dir(d->spool.dir[SPOOL_OUTGOING], c->target->name);
	int sending =
		outgoing < 0 ? -1 : disk_open_dir(d->spool.dir[SPOOL_SENDING], c->target->name);

	if (sending < 0) {
		queue_look_failed(d);
	} else if (!queue_is_held(d, outgoing)) {
		c->running = count_running(d, sending);
		if (c->running < 0 ||
			(c->running < target_jobs(c->target) && note_waiting(d, c, outgoing) < 0))
			queue_look_failed(d);
		else
			close_hours(d, c);
	}
	if (outgoing >= 0) {
		holds_look(d, c->target, outgoing);
		(void)close(outgoing); /* only read */
	}
	if (sending >= 0)
		(void)close(sending); /* only read */
}

/* The series on their way, as far as they matter to the jobs that wait. */
static void look_upstream(struct dispatcher *d, const struct candidate *c, size_t count)
{
	int64_t before_us = 0;

	for (size_t i = 0; i < count; i++)
		if (c[i].target->order == CONF_ORDER_STUDY && c[i].newest_us > before_us)
			before_us = c[i].newest_us;
	if (upstream_look(&d->upstream, &d->spool, before_us) < 0)
		loop_at(&d->loop, clock_now_us() + UNKNOWN_US);
}

static enum job_priority sorted_by; /* qsort(3) has no argument for it */

static int by_age(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	return strcmp(left->oldest[sorted_by], right->oldest[sorted_by]);
}

static bool has_candidate(const struct candidate *c)
{
	for (int p = 0; p < JOB_PRIORITIES; p++)
		if (*c->oldest[p])
			return true;
	return false;
}

static bool claim_priority(struct dispatcher *d, struct candidate *c, size_t count,
	enum job_priority priority, struct claimed *claimed)
{
	sorted_by = priority;
	qsort(c, count, sizeof(*c), by_age);
	for (size_t i = 0; i < count; i++)
		if (*c[i].oldest[priority] && claim_from(d, c[i].target, priority, claimed))
			return true;
	return false;
}

/* Jobs of dispatchers that died, of targets from which nothing is about to be claimed. */
static bool take_over(
	struct dispatcher *d, const struct candidate *c, size_t count, struct claimed *claimed)
{
	for (size_t i = 0; i < count; i++)
		if (c[i].running > 0 && !has_candidate(&c[i]) &&
			claim_from(d, c[i].target, JOB_PRIORITIES, claimed))
			return true;
	return false;
}

/* Counts who waits although a job of this priority was taken. */
static void count_passed_over(
	struct turn *turn, const struct candidate *c, size_t count, enum job_priority taken)
{
	turn->passed_over[taken] = 0;
	for (int p = taken + 1; p < JOB_PRIORITIES; p++)
		for (size_t i = 0; i < count; i++)
			if (*c[i].oldest[p]) {
				turn->passed_over[p]++;
				break;
			}
}

/* The least urgent whose patience is at its end, then all by urgency. */
static bool claim(struct dispatcher *d, struct candidate *c, size_t count, struct claimed *claimed)
{
	bool is_claimed = false;

	for (int p = JOB_PRIORITIES - 1; p >= 0 && !is_claimed; p--)
		if (patience[p] > 0 && d->turn.passed_over[p] >= patience[p])
			is_claimed = claim_priority(d, c, count, p, claimed);
	for (int p = 0; p < JOB_PRIORITIES && !is_claimed; p++)
		is_claimed = claim_priority(d, c, count, p, claimed);
	if (is_claimed)
		count_passed_over(&d->turn, c, count, job_priority(claimed->job));
	return is_claimed;
}

bool turn_claim(struct dispatcher *d, struct claimed *claimed)
{
	size_t count = d->conf->target_count;
	struct candidate *c;
	bool claimed_one;

	if (queue_is_exhausted(d))
		return false;
	c = calloc(count + 1, sizeof(*c));
	if (!c)
		die(EXIT_TEMPORARY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		c[i].target = &d->conf->target[i];
		survey(d, &c[i]);
	}
	look_upstream(d, c, count);
	claimed_one = take_over(d, c, count, claimed) || claim(d, c, count, claimed);
	free(c);
	return claimed_one;
}
