#include "work.h"

#include "ahead.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/run.h"
#include "dispatcher.h"
#include "finish.h"
#include "given_up.h"
#include "pausing.h"
#include "rounds.h"
#include "spool/journal.h"
#include "split.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The image that was refused most often and is to be tried again; NULL when there is none. */
static const struct image *most_refused(const struct attempt *a)
{
	const struct image *worst = NULL;

	for (size_t i = 0; i < a->answers.count; i++) {
		const struct image *image = &a->answers.image[i];

		if (!image->stored && !given_up_is(a, image) &&
			(!worst || image->failures > worst->failures))
			worst = image;
	}
	return worst;
}

/* Has the target answered, and not only that it has no room? */
static bool got_through(const struct attempt *a)
{
	return a->answers.stored_all > 0 ||
	       (a->answers.answered_all > 0 && a->answers.no_room == 0);
}

/* The job lets others go first when the pause is over: they show whether it is the job or the
 * target. When they have got through and it breaks the target again, it waits longer each time, and
 * is given up as jobs of a target that fails all the time are. Returns before when it is not to be
 * tried. */
static void step_back(struct attempt *a, int64_t until_us, const char *reason)
{
	const struct conf_target *target = a->claimed->target;
	struct hopeless *hopeless = &a->claimed->hopeless;
	struct retry *retry = &a->retry;

	if (got_through(a))
		retry->breaks = 0;
	if (retry->breaks == 0 || retry->since_us < 0)
		retry->since_us = clock_now_us();
	retry->breaks += a->claimed->target_was_well;
	hopeless->is = a->claimed->images < 0 && retry->breaks > 1 &&
		       clock_now_us() - retry->since_us >= (int64_t)target->give_up_s * 1000000;
	hopeless->since_us = retry->since_us;
	(void)snprintf(hopeless->reason, sizeof(hopeless->reason), "%s", reason);
	retry->not_before_us = until_us + pausing_length_us(retry->breaks, target);
}

/* The job is told to wait until attempt->retry says. */
static void tell_later(struct dispatcher *d, const struct attempt *a, int64_t until_us,
	const char *reason, char stamp[SPOOL_STAMP_SIZE])
{
	loop_at(&d->loop, until_us);
	spool_stamp(until_us, stamp, SPOOL_STAMP_SIZE);
	journal_write(&d->spool, "retried", "job", a->claimed->job, "target",
		a->claimed->target->name, "not_before", stamp, "reason", reason, NULL);
}

static void say_reason(
	const struct attempt *a, const struct outcome *outcome, char *text, size_t size)
{
	const struct image *worst = most_refused(a);

	if (*outcome->reason)
		(void)snprintf(text, size, "%s", outcome->reason);
	else if (a->answers.no_room > 0 && worst)
		(void)snprintf(text, size, "%s: %s %s", worst->name, worst->status, worst->text);
	else
		(void)snprintf(text, size, "send-%s ended with status %d without giving a reason",
			a->claimed->target->type, outcome->status);
}

/* The target as a whole failed: it is left alone for a while. */
static int target_failed(struct dispatcher *d, struct attempt *a, const struct outcome *outcome)
{
	const struct claimed *job = a->claimed;
	char text[300], stamp[SPOOL_STAMP_SIZE];
	int64_t until_us;

	say_reason(a, outcome, text, sizeof(text));
	until_us = pausing_begin(job->queue, job->target, text);
	if (until_us < 0)
		return -1;
	tell_later(d, a, until_us, text, stamp);
	log_warning("target failed, paused target=%s until=%s job=%s reason=%s", job->target->name,
		stamp, job->job, text);
	step_back(a, until_us, text);
	loop_at(&d->loop, a->retry.not_before_us);
	if (!a->claimed->hopeless.is)
		return finish_later(a);
	pausing_end(job->queue, job->target); /* it was the job, not the target */
	return finish_done(d, a);
}

/* The sender was killed: by somebody, or because it needs more memory than there is, which it will
 * again. Neither the target nor an image pays, but the job waits longer each time. */
static int sender_killed(struct dispatcher *d, struct attempt *a, int status)
{
	const struct claimed *job = a->claimed;
	char text[80], stamp[SPOOL_STAMP_SIZE];

	(void)snprintf(text, sizeof(text), "send-%s was killed by signal %d", job->target->type,
		status - RUN_SIGNALLED);
	step_back(a, clock_now_us(), text);
	tell_later(d, a, a->retry.not_before_us, text, stamp);
	log_warning("%s, it is tried again job=%s target=%s not_before=%s", text, job->job,
		job->target->name, stamp);
	return job->hopeless.is ? finish_done(d, a) : finish_later(a);
}

/* The sender could not be run. This process leaves the target alone for a while: it would not get
 * further with another job. */
static int not_sent(struct dispatcher *d, struct attempt *a, const struct outcome *outcome)
{
	const struct claimed *job = a->claimed;

	log_error("unable to send to %s: %s; it is tried again job=%s", job->target->name,
		outcome->own_fault, job->job);
	journal_write(&d->spool, "retried", "job", job->job, "target", job->target->name, "reason",
		outcome->own_fault, NULL);
	queue_rest(d, job->target, QUEUE_ALL);
	return finish_back(a);
}

/* Some images were refused and may be tried again. */
static int images_failed(struct dispatcher *d, struct attempt *a, const struct image *worst)
{
	const struct claimed *job = a->claimed;
	char stamp[SPOOL_STAMP_SIZE], text[300];

	a->retry = (struct retry){ .since_us = -1 };
	a->retry.not_before_us = clock_now_us() + pausing_length_us(worst->failures, job->target);
	(void)snprintf(text, sizeof(text), "%s: %s %s", worst->name, worst->status, worst->text);
	tell_later(d, a, a->retry.not_before_us, text, stamp);
	log_warning("images refused, tried again job=%s target=%s not_before=%s reason=%s",
		job->job, job->target->name, stamp, text);
	return finish_later(a);
}

int work_put_off(
	struct dispatcher *d, struct attempt *a, const struct outcome *outcome, enum blame blame)
{
	switch (blame) {
	case BLAME_OURS:
		return not_sent(d, a, outcome);
	case BLAME_KILLED:
		return sender_killed(d, a, outcome->status);
	default:
		return target_failed(d, a, outcome);
	}
}

static int judge(
	struct dispatcher *d, struct attempt *a, const struct outcome *outcome, enum blame blame)
{
	const struct claimed *job = a->claimed;
	const struct image *worst = most_refused(a);

	if (got_through(a))
		pausing_end(job->queue, job->target);
	if (!worst)
		return finish_done(d, a);
	if (blame < BLAME_TARGET)
		return images_failed(d, a, worst);
	return work_put_off(d, a, outcome, blame);
}

/* A target that has failed, or has failed at this job, is asked whether it is well before images
 * are risked. */
static int probe_and_send(
	struct dispatcher *d, struct attempt *a, struct outcome *outcome, enum blame *blame)
{
	int result = 0;

	*blame = BLAME_IMAGES;
	*outcome = (struct outcome){ 0 };
	if ((!a->claimed->target_was_well || a->retry.breaks > 0) && most_refused(a))
		result = sending_probe(d, a, outcome);
	if (result == 0 && outcome->status == 0 && !*outcome->own_fault)
		claimed_answered(a->claimed); /* however long its images take */
	if (*outcome->own_fault) {
		*blame = BLAME_OURS;
	} else if (outcome->status != 0) {
		a->claimed->target_was_well = false; /* whoever has ended its pause was wrong */
		*blame = BLAME_TARGET;
	} else if (result == 0 && !d->loop.stopping) {
		result = rounds_send(d, a, outcome, blame);
	}
	return result;
}

/* The images that are the job's, and what was answered to them. */
static int load(struct dispatcher *d, struct attempt *a)
{
	int dropped;

	if (split_clean(a->claimed->dir) < 0 || answers_load(a->claimed, &a->answers) < 0)
		return -1;
	dropped = split_complete(&d->spool, a);
	if (dropped <= 0)
		return dropped;
	answers_free(&a->answers);
	return answers_load(a->claimed, &a->answers);
}

static int send_and_judge(struct dispatcher *d, struct attempt *a)
{
	const struct claimed *job = a->claimed;
	struct outcome outcome;
	enum blame blame;

	if (ahead_take_over(job) < 0 || load(d, a) < 0)
		return -1;
	if (a->answers.count == 0)
		return finish_empty(d, a);
	if (job_is_cancelled(job->dir) && most_refused(a))
		return finish_cancelled(d, a);
	if (job->hopeless.is)
		return finish_done(d, a);
	retry_load(job->dir, &a->retry);
	if (probe_and_send(d, a, &outcome, &blame) < 0)
		return -1;
	if (job_is_cancelled(job->dir) && most_refused(a))
		return finish_cancelled(d, a);
	if (d->loop.stopping && most_refused(a))
		return finish_back(a);
	return judge(d, a, &outcome, blame);
}

void work_run(struct dispatcher *d, struct claimed *job)
{
	struct attempt attempt = { .claimed = job };
	bool ahead = job_ahead(job->job) > 0;

	if ((ahead ? ahead_send(d, &attempt) : send_and_judge(d, &attempt)) < 0) {
		/* Ours to mend (a full disk, most likely): the job waits, the others go on. */
		log_error("unable to go on with sending/%s/%s: %s; it is tried again",
			job->target->name, job->job, strerror(errno));
		queue_rest(d, job->target, job->job);
		if (disk_rename(job->sending, job->job, job->queue, job->job) < 0)
			log_error("unable to move sending/%s/%s back to outgoing: %s",
				job->target->name, job->job, strerror(errno));
	}
	answers_free(&attempt.answers);
}
