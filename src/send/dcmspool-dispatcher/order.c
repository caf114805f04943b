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

/* When a job that waits to be tried again may go; 0: it is not waiting. One failure of its target
 * proves nothing: without a pause (somebody has removed paused.json) it keeps no job waiting. */
static int64_t due(struct dispatcher *d, const struct queue *queue, const char *job)
{
	int dir = disk_open_dir(queue->outgoing, job);
	struct retry retry;

	if (dir < 0 && queue_look_failed(d)) {
		log_error("unable to look into outgoing/%s/%s: %s; it is tried again",
			queue->target->name, job, strerror(errno));
		return INT64_MAX;
	}
	if (dir < 0)
		return 0;
	retry_load(dir, &retry);
	(void)close(dir); /* only read */
	if (retry.since_us >= 0 && retry.breaks < 2 && !queue->is_paused)
		return 0;
	return pausing_sane_us(queue->target, retry.not_before_us);
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
		queue->unknown = true;
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

static long series_number(struct dispatcher *d, struct queue *queue, struct waiting *waiting)
{
	if (waiting->series_number == NUMBER_UNKNOWN)
		waiting->series_number = read_series_number(d, queue, waiting->name);
	return waiting->series_number;
}

static bool goes_before(
	struct dispatcher *d, struct queue *queue, struct waiting *a, struct waiting *b)
{
	long number_a, number_b;

	if (queue->target->order == CONF_ORDER_SERIES_NUMBER) {
		number_a = series_number(d, queue, a);
		number_b = series_number(d, queue, b);
		if (number_a != number_b)
			return number_a < number_b;
	}
	return strcmp(a->name, b->name) < 0;
}

/* Is a job of its study on its way to the target, or one waiting that goes before it? */
static bool is_behind(struct dispatcher *d, struct queue *queue, size_t i)
{
	struct waiting *self = &queue->waiting[i];

	if (queue->target->order == CONF_ORDER_NONE || self->study == 0)
		return false;
	for (size_t k = 0; k < queue->running.count; k++)
		if (queue->running_study[k] == self->study &&
			queue_is_claimable(d, queue->sending, queue->running.name[k]))
			return true;
	for (size_t k = 0; k < queue->waiting_names.count; k++) {
		struct waiting *other = &queue->waiting[k];

		/* A series that is still being received is upstream: it has its time. */
		if (k != i && !job_ahead(other->name) && other->study == self->study &&
			other->priority == self->priority && goes_before(d, queue, other, self) &&
			queue_is_claimable(d, queue->outgoing, other->name))
			return true;
	}
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
static bool waits_for_earlier(struct dispatcher *d, const struct queue *queue, size_t i)
{
	const struct waiting *self = &queue->waiting[i];
	int64_t until_us;

	if (queue->target->order != CONF_ORDER_STUDY || queue->target->order_wait_ms == 0)
		return false;
	if (self->time_us > d->upstream.before_us) { /* it came after the look upstream */
		loop_at(&d->loop, clock_now_us());
		return true;
	}
	if (!d->upstream.unknown && !upstream_before(&d->upstream, self->study, self->time_us))
		return false;
	until_us = entered_us(d, queue, self) + (int64_t)queue->target->order_wait_ms * 1000;
	if (until_us <= clock_now_us() ||
		until_us > clock_now_us() + (int64_t)queue->target->order_wait_ms * 1000)
		return false; /* or the times are of no use */
	loop_at(&d->loop, until_us);
	d->upstream.awaited = true;
	return true;
}

bool order_may_go(struct dispatcher *d, struct queue *queue, size_t i)
{
	const char *job = queue->waiting[i].name;
	int64_t due_us;

	if (!queue_is_job(job) || job_ended(job) > 0)
		return false; /* our own files, what is being copied here by hand, again.h */
	if (is_sent_ahead(queue, job) || is_behind(d, queue, i) || queue->unknown ||
		queue_is_resting(d, queue->target, job))
		return false;
	due_us = due(d, queue, job);
	if (due_us > clock_now_us()) {
		loop_at(&d->loop, due_us);
		return false;
	}
	if (waits_for_earlier(d, queue, i))
		return false;
	return !job_ahead(job) || expect_more(d, queue, job);
}
