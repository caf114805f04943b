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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often jobs of a priority are passed over before one of them goes first; 0: never. */
static const unsigned int patience[JOB_PRIORITIES] = { [JOB_NORMAL] = 3, [JOB_OFFPEAK] = 15 };
enum { UNKNOWN_US = 1000000 };

/* What waits for one target. Only a hint: the choice is made under the queue's lock. */
struct candidate {
	const struct conf_target *target;
	char oldest[JOB_PRIORITIES][QUEUE_NAME_SIZE]; /* "" when none may go now */
	long running;                                 /* jobs in sending/, whoever sends them */
};

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

static void note(struct candidate *c, const struct waiting *w)
{
	char *oldest = w ? c->oldest[w->priority] : NULL;

	if (oldest && !*oldest)
		(void)snprintf(oldest, QUEUE_NAME_SIZE, "%s", w->name);
}

/* The oldest job of each priority that waits for nothing but its turn. What is to be sent again has
 * its turn at once; one that waits for its target may be there to be given up. */
static void note_waiting(struct candidate *c, const struct roll *roll)
{
	for (int p = 0; p < JOB_PRIORITIES; p++)
		note(c, roll_ready(roll, p));
	note(c, roll_first(roll, ROLL_ENDED));
	if (roll->ready.count == 0)
		note(c, roll_first(roll, ROLL_JOB));
}

/* Watched first, then looked at: whether it is held, too. */
static void survey(struct dispatcher *d, struct candidate *c)
{
	int outgoing = disk_open_dir(d->spool.dir[SPOOL_OUTGOING], c->target->name);
	int sending =
		outgoing < 0 ? -1 : disk_open_dir(d->spool.dir[SPOOL_SENDING], c->target->name);
	struct roll *roll = sending < 0 ? NULL : queue_roll(d, c->target, outgoing);

	if (outgoing >= 0)
		holds_look(d, c->target, outgoing);
	if (!roll) {
		queue_look_failed(d);
	} else if (!queue_is_held(d, outgoing)) {
		strays_look_in_queue(d, c->target, outgoing, roll);
		c->running = count_running(d, sending);
		if (c->running < 0)
			queue_look_failed(d);
		else if (c->running < target_jobs(c->target))
			note_waiting(c, roll);
		close_hours(d, c);
	}
	if (outgoing >= 0)
		(void)close(outgoing); /* only read */
	if (sending >= 0)
		(void)close(sending); /* only read */
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
		if (*c[i].oldest[priority] && !d->upstream.wanted_us &&
			claim_from(d, c[i].target, priority, claimed))
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

/* Whoever needs to know what is on its way before it may go stops the choice, which is made once
 * more when that is known. */
static bool choose(struct dispatcher *d, struct candidate *c, size_t count, struct claimed *claimed)
{
	d->upstream.is_fresh = false;
	d->upstream.wanted_us = 0;
	if (take_over(d, c, count, claimed) || claim(d, c, count, claimed))
		return true;
	if (d->upstream.wanted_us == 0)
		return false;
	if (upstream_look(&d->upstream, &d->spool) < 0)
		loop_at(&d->loop, clock_now_us() + UNKNOWN_US);
	return claim(d, c, count, claimed);
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
	claimed_one = choose(d, c, count, claimed);
	free(c);
	return claimed_one;
}
