#include "order.h"

#include "base/clock.h"
#include "base/log.h"
#include "dispatcher.h"
#include "expect.h"
#include "pausing.h"
#include "spool/early.h"
#include "spool/retry.h"
#include "spool/series.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is in a job's directory that matters, read once. False: it is no job, or cannot be looked at
 * now. */
static bool look(struct dispatcher *d, struct queue *queue, struct waiting *w)
{
	int dir;

	if (w->seen == queue->roll->retries)
		return true;
	dir = disk_open_dir(queue->outgoing, w->name);
	if (dir < 0 && queue_look_failed(d)) {
		log_error("unable to look into outgoing/%s/%s: %s; it is tried again",
			queue->target->name, w->name, strerror(errno));
		return false;
	}
	if (dir < 0) {
		if (errno != ENOENT)
			roll_set_no_job(queue->roll, w);
		return false; /* or it went by hand just now */
	}
	retry_load(dir, &w->retry);
	(void)close(dir); /* only read */
	w->seen = queue->roll->retries;
	return true;
}

/* Has it waited long enough to be tried again? One failure of its target proves nothing: without a
 * pause (somebody has removed paused.json) it keeps no job waiting. */
static bool is_due(struct dispatcher *d, struct queue *queue, struct waiting *w)
{
	bool unless_paused = w->retry.since_us >= 0 && w->retry.breaks < 2;
	int64_t due_us = pausing_sane_us(queue->target, w->retry.not_before_us);

	if ((unless_paused && !queue->is_paused) || due_us <= clock_now_us())
		return true;
	loop_at(&d->loop, due_us);
	if (!unless_paused)
		roll_set_later(queue->roll, w);
	return false;
}

/* SeriesNumber (0020,0011) is an IS: a decimal number, spaces around it allowed (PS3.5 6.2). Series
 * without one go last. */
static long read_series_number(struct dispatcher *d, struct queue *queue, const char *job)
{
	int dir = disk_open_dir(queue->outgoing, job);
	json_t *series = dir < 0 ? NULL : series_load(dir);
	const char *text = series_tag(series, "SeriesNumber");
	long number = LONG_MAX;
	char *end;

	if (!series && errno != EINVAL && queue_look_failed(d))
		number = NUMBER_UNKNOWN;
	if (*text) {
		errno = 0;
		number = strtol(text, &end, 10);
		while (isspace((unsigned char)*end))
			end++;
		if (end == text || *end || errno != 0 || number == NUMBER_UNKNOWN)
			number = LONG_MAX;
	}
	json_decref(series);
	if (dir >= 0)
		(void)close(dir); /* only read */
	return number;
}

struct waiting *order_head(struct dispatcher *d, struct queue *queue, struct waiting *w)
{
	long number;

	if (queue->target->order != CONF_ORDER_SERIES_NUMBER)
		return w;
	while (w && w->series_number == NUMBER_UNKNOWN && !roll_is_alone(queue->roll, w)) {
		number = read_series_number(d, queue, w->name);
		if (number == NUMBER_UNKNOWN)
			return NULL;
		roll_set_number(queue->roll, w, number);
		w = roll_head(queue->roll, w);
	}
	return w;
}

/* Is a job of its study on its way to the target? */
static bool is_behind_running(
	struct dispatcher *d, const struct queue *queue, const struct waiting *self)
{
	if (queue->target->order == CONF_ORDER_NONE || self->study == 0)
		return false;
	for (size_t k = 0; k < queue->running.count; k++)
		if (queue->running_study[k] == self->study &&
			queue_is_claimable(d, queue->sending, queue->running.name[k]))
			return true;
	return false;
}

/* Has the job's entry a dispatcher, which is about to give it back? */
static bool is_sent_ahead(const struct queue *queue, const char *job)
{
	char entry[QUEUE_NAME_SIZE];

	early_entry(job, entry);
	for (size_t k = 0; k < queue->running.count; k++)
		if (strcmp(queue->running.name[k], entry) == 0)
			return true;
	return false;
}

/* When the job came into the queue. When that lies in the future, because the clock was set back,
 * the series' first image must do. */
static int64_t entered_us(
	struct dispatcher *d, const struct queue *queue, const struct waiting *job)
{
	int dir = disk_open_dir(queue->outgoing, job->name);
	int64_t now_us = clock_now_us(), time_us = dir < 0 ? -1 : job_entered_us(dir);

	if (time_us < 0)
		queue_look_failed(d);
	if (dir >= 0)
		(void)close(dir); /* only read */
	if (time_us < 0)
		return now_us;
	return time_us <= now_us ? time_us : job->time_us;
}

/* Does the job wait for an earlier series of its study that is not in the queue yet? */
static bool waits_for_earlier(
	struct dispatcher *d, const struct queue *queue, const struct waiting *self)
{
	int64_t until_us;

	if (queue->target->order != CONF_ORDER_STUDY || queue->target->order_wait_ms == 0 ||
		self->study == 0)
		return false;
	switch (upstream_has(&d->upstream, self->study, self->time_us)) {
	case UPSTREAM_NONE:
		return false;
	case UPSTREAM_ASK:
		if (d->upstream.wanted_us == 0) /* it came after the look upstream */
			loop_at(&d->loop, LOOP_NOW);
		return true;
	case UPSTREAM_SOME:
		break;
	}
	until_us = entered_us(d, queue, self) + (int64_t)queue->target->order_wait_ms * 1000;
	if (until_us <= clock_now_us() ||
		until_us > clock_now_us() + (int64_t)queue->target->order_wait_ms * 1000)
		return false; /* or the times are of no use */
	loop_at(&d->loop, until_us);
	d->upstream.awaited = true;
	return true;
}

bool order_may_go(struct dispatcher *d, struct queue *queue, struct waiting *w)
{
	return !is_sent_ahead(queue, w->name) && !is_behind_running(d, queue, w) &&
	       !queue_is_resting(d, queue->target, w->name) && look(d, queue, w) &&
	       is_due(d, queue, w) && !waits_for_earlier(d, queue, w) &&
	       (w->kind != ROLL_AHEAD ||
		       (!roll_study_waits(queue->roll, w) && expect_more(d, queue, w->name)));
}
