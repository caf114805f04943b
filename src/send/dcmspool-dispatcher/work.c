#include "dispatcher.h"

#include "spool/journal.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIGNALLED = 128 }; /* run_wait() */

/* The image that was refused most often and is to be tried again; NULL when there is none. */
static const struct image *most_refused(const struct work *work)
{
	const struct image *worst = NULL;

	for (size_t i = 0; i < work->image_count; i++) {
		const struct image *image = &work->images[i];

		if (!image->stored && !finish_given_up(work, image) &&
			(!worst || image->failures > worst->failures))
			worst = image;
	}
	return worst;
}

/* The only image of the job that is still to be sent, or NULL. */
static struct image *only_image_left(struct work *work)
{
	struct image *left = NULL;

	for (size_t i = 0; i < work->image_count; i++) {
		struct image *image = &work->images[i];

		if (image->stored || finish_given_up(work, image))
			continue;
		if (left)
			return NULL;
		left = image;
	}
	return left;
}

static bool any_answer(const struct work *work)
{
	for (size_t i = 0; i < work->image_count; i++)
		if (work->images[i].answered)
			return true;
	return false;
}

/* An image on which a target breaks off every time looks like a target that is down. So when it has
 * done so before, the target was well since and a moment ago, and a single image was left, that
 * counts as a refusal. */
static void suspect_image(struct work *work, const char *reason)
{
	bool suspect = work->target_was_well && work->breaks > 0 && !work->own_fault;
	struct image *image = suspect ? only_image_left(work) : NULL;

	if (image && ledger_add(work, image, false, "-", reason) < 0)
		log_error("unable to write the ledger of job %s: %s", work->job, strerror(errno));
}

/* The job lets others go first when the pause is over: they show whether it is the job or the
 * target. When they have got through and it breaks the target again, it waits longer each time, and
 * is given up as jobs of a target that fails all the time are. Returns before when it is not to be
 * tried. */
static int64_t step_back(struct work *work, int64_t until_us, const char *reason)
{
	const struct conf_target *target = work->target;

	if (any_answer(work))
		work->breaks = 0;
	if (work->breaks == 0)
		work->breaks_since_us = spool_now_us();
	work->breaks += work->target_was_well;
	work->give_up = work->breaks > 1 && spool_now_us() - work->breaks_since_us >=
						    (int64_t)target->give_up_s * 1000000;
	work->failing_since_us = work->breaks_since_us;
	(void)snprintf(work->failing_reason, sizeof(work->failing_reason), "%s", reason);
	return until_us + pause_length_us(work->breaks, target->retry_min_ms, target->retry_max_ms);
}

/* The target as a whole failed: it is left alone for a while. */
static int target_failed(struct dispatcher *d, struct work *work, int status, const char *reason)
{
	char text[300], stamp[SPOOL_STAMP_SIZE];
	int64_t until_us, retry_us;

	if (*reason)
		(void)snprintf(text, sizeof(text), "%s", reason);
	else
		(void)snprintf(text, sizeof(text),
			"send-%s ended with status %d without giving a reason", work->target->type,
			status);
	until_us = pause_target(work, text);
	if (until_us < 0)
		return -1;
	look_again(d, until_us);
	spool_stamp(until_us, stamp, sizeof(stamp));
	log_warning("target failed, paused target=%s until=%s job=%s reason=%s", work->target->name,
		stamp, work->job, text);
	journal_write(&d->spool, "retried", "job", work->job, "target", work->target->name,
		"not_before", stamp, "reason", text, NULL);
	suspect_image(work, text);
	retry_us = step_back(work, until_us, text);
	look_again(d, retry_us);
	if (most_refused(work))
		return retry_return(work, retry_us, true);
	pause_end(work); /* it was the image, not the target */
	return finish_done(d, work);
}

/* The sender was killed: by somebody, or because it needs more memory than there is, which it will
 * again. Neither the target nor an image pays, but the job waits longer each time. */
static int sender_killed(struct dispatcher *d, struct work *work, int status)
{
	char text[80], stamp[SPOOL_STAMP_SIZE];
	int64_t retry_us;

	(void)snprintf(text, sizeof(text), "send-%s was killed by signal %d", work->target->type,
		status - SIGNALLED);
	retry_us = step_back(work, spool_now_us(), text);
	look_again(d, retry_us);
	spool_stamp(retry_us, stamp, sizeof(stamp));
	log_warning("%s, it is tried again job=%s target=%s not_before=%s", text, work->job,
		work->target->name, stamp);
	journal_write(&d->spool, "retried", "job", work->job, "target", work->target->name,
		"not_before", stamp, "reason", text, NULL);
	return most_refused(work) ? retry_return(work, retry_us, true) : finish_done(d, work);
}

/* Some images were refused and may be tried again. */
static int images_failed(struct dispatcher *d, struct work *work, const struct image *worst)
{
	const struct conf_target *target = work->target;
	int64_t due_us = spool_now_us() + pause_length_us(worst->failures, target->retry_min_ms,
						  target->retry_max_ms);
	char stamp[SPOOL_STAMP_SIZE], text[300];

	look_again(d, due_us);
	spool_stamp(due_us, stamp, sizeof(stamp));
	(void)snprintf(text, sizeof(text), "%s: %s %s", worst->name, worst->status, worst->text);
	log_warning("images refused, tried again job=%s target=%s not_before=%s reason=%s",
		work->job, target->name, stamp, text);
	journal_write(&d->spool, "retried", "job", work->job, "target", target->name, "not_before",
		stamp, "reason", text, NULL);
	return retry_return(work, due_us, false);
}

/* An image of which a sender that claims to have finished said nothing was not stored. */
static int note_silence(struct work *work, int status)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "send-%s ended with status %d and told no answer",
		work->target->type, status);
	for (size_t i = 0; i < work->image_count; i++) {
		struct image *image = &work->images[i];

		if (!image->stored && !image->answered && !finish_given_up(work, image) &&
			ledger_add(work, image, false, "-", text) < 0)
			return -1;
	}
	return 0;
}

static int judge(struct dispatcher *d, struct work *work, int status, const char *reason)
{
	const struct image *worst;

	if (any_answer(work))
		pause_end(work);
	if ((status == EXIT_TEMPORARY || status == EXIT_PERMANENT) && most_refused(work))
		return target_failed(d, work, status, reason);
	if ((status == SIGNALLED + SIGKILL || status == SIGNALLED + SIGTERM) && most_refused(work))
		return sender_killed(d, work, status);
	/* Anything else, a sender that crashed too, is the fault of this job's images: it must not
	 * hold up the target's other jobs. */
	if (note_silence(work, status) < 0)
		return -1;
	worst = most_refused(work);
	return worst ? images_failed(d, work, worst) : finish_done(d, work);
}

/* A target that has failed, or has failed at this job, is asked whether it is well before images
 * are risked. */
static int probe_and_send(struct dispatcher *d, struct work *work, char *reason, size_t size)
{
	int status = 0;

	if ((!work->target_was_well || work->breaks > 0) && most_refused(work))
		status = send_probe(d, work, reason, size);
	if (status != 0)
		work->target_was_well = false; /* whoever has ended its pause was wrong */
	return status == 0 && !d->loop.stopping ? send_images(d, work, reason, size) : status;
}

static int send_and_judge(struct dispatcher *d, struct work *work)
{
	char reason[256] = "";
	int status;

	if (finish_resume(d, work) < 0 || ledger_load(work) < 0)
		return -1;
	if (work->image_count == 0)
		return finish_empty(d, work);
	if (finish_is_cancelled(work) && most_refused(work))
		return finish_cancelled(d, work);
	if (work->give_up)
		return finish_done(d, work);
	retry_load(work);
	status = probe_and_send(d, work, reason, sizeof(reason));
	if (status < 0)
		return -1;
	if (finish_is_cancelled(work) && most_refused(work))
		return finish_cancelled(d, work);
	if (d->loop.stopping && most_refused(work))
		return retry_return(work, 0, false);
	return judge(d, work, status, reason);
}

void work_run(struct dispatcher *d, struct work *work)
{
	if (send_and_judge(d, work) == 0)
		return;
	/* Ours to mend (a full disk, most likely): the job waits, the others go on. */
	log_error("unable to go on with sending/%s/%s: %s; it is tried again", work->target->name,
		work->job, strerror(errno));
	queue_rest(d, work);
	if (disk_rename(work->sending, work->job, work->queue, work->job) < 0)
		log_error("unable to move sending/%s/%s back to outgoing: %s", work->target->name,
			work->job, strerror(errno));
}

void work_close(struct work *work)
{
	for (size_t i = 0; i < work->image_count; i++)
		free(work->images[i].name);
	free(work->images);
	(void)close(work->dir); /* releases the lock */
	(void)close(work->sending);
	(void)close(work->queue);
}
