/*
 * Each look gives the sender, which keeps its connection, the images that have come since the last
 * one. An image is sent ahead once at most: what the target does not store is left to the job,
 * which will be judged as any other.
 */
#include "ahead.h"

#include "base/clock.h"
#include "base/hours.h"
#include "base/log.h"
#include "base/watch.h"
#include "arriving.h"
#include "dispatcher.h"
#include "finish.h"
#include "pausing.h"
#include "rounds.h"
#include "spool/early.h"
#include "spool/job.h"
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A connection is kept for QUIET_MS without an image; when others wait, it and this process are not
 * kept for longer than SHARE_MS. So many images in a row at which the target breaks are the
 * target's. */
enum { QUIET_MS = 2000, SHARE_MS = 5000, BREAKS_MAX = 3 };

struct run {
	struct dispatcher *d;
	struct attempt *a;
	struct arriving batch;
	char job[QUEUE_NAME_SIZE];  /* the entry's */
	int64_t quiet_ms, share_ms; /* until then */
	int breaks;
	size_t stored;
};

/* May more be sent now? What keeps it from that is seen by the next look at the queue, too. */
static bool may_go_on(const struct run *run)
{
	const struct claimed *entry = run->a->claimed;
	const char *hours = entry->target->hours[job_priority(entry->job)];
	int64_t now_us = clock_now_us();

	return loop_goes_on(&run->d->loop) && !job_is_cancelled(entry->dir) &&
	       !queue_is_held(run->d, entry->queue) && hours_next_us(hours, now_us) <= now_us;
}

/* Its job waits: it has the rest of the images. */
static bool has_job(const struct run *run)
{
	return disk_exists(run->a->claimed->queue, run->job) == 1;
}

/* Does another job wait, for the connection or for us? */
static bool others_wait(const struct run *run)
{
	const struct rolls *rolls = &run->d->rolls;

	for (size_t i = 0; i < rolls->count; i++)
		if (rolls->roll[i].ready.count > 0)
			return true;
	return false;
}

/* Notes what has become of the images of one round. What was not sent is sent in the next one. */
static int note(struct run *run, enum blame blame)
{
	const struct answers *answers = &run->a->answers;
	int result = 0;

	for (size_t i = 0; i < answers->count; i++) {
		const struct image *image = &answers->image[i];
		bool done = image->answered || image->doubted || blame == BLAME_IMAGES;

		run->stored += image->stored;
		if ((done ? arriving_done : arriving_again)(&run->batch, image->name) < 0)
			result = -1;
	}
	return result;
}

static int send_images(struct run *run, struct outcome *outcome, enum blame *blame)
{
	struct dispatcher *d = run->d;
	const struct claimed *entry = run->a->claimed;
	struct answers *answers = &run->a->answers;

	answers_begin(answers);
	for (size_t i = 0; i < answers->count; i++)
		answers->image[i].listed = true;
	answers->listed = answers->count;
	if (sending_images(d, run->a, outcome) < 0)
		return -1;
	*blame = rounds_blame(run->a, outcome);
	if (answers->answered > 0)
		d->seen[entry->target - d->conf->target].broken[0] = '\0';
	if (answers->stored_all > 0 || (answers->answered_all > 0 && answers->no_room == 0))
		pausing_end(entry->queue, entry->target);
	run->breaks = answers->answered ? 0 : run->breaks + (*blame == BLAME_BREAK);
	if (run->breaks >= BREAKS_MAX)
		*blame = BLAME_TARGET;
	return note(run, *blame);
}

/* Sends what has come. 1: some, 0: nothing has, -1 with errno. */
static int send_new(struct run *run, struct outcome *outcome, enum blame *blame)
{
	struct disk_names names;
	size_t count;
	int result;

	*blame = BLAME_IMAGES;
	if (arriving_take(&run->batch, &names) < 0)
		return -1;
	count = names.count;
	if (count == 0) {
		disk_names_free(&names);
		return 0;
	}
	if (answers_take(&run->a->answers, &names) < 0)
		return -1;
	result = send_images(run, outcome, blame);
	answers_free(&run->a->answers);
	return result < 0 ? -1 : 1;
}

/* Is the connection to be given up? If not, something may come until *until_ms. */
static bool is_over(const struct run *run, int64_t *until_ms)
{
	*until_ms = run->quiet_ms;
	if (clock_left_ms(run->quiet_ms) == 0)
		return true;
	if (clock_left_ms(run->share_ms) > 0) {
		if (run->share_ms < *until_ms)
			*until_ms = run->share_ms;
		return false;
	}
	return others_wait(run);
}

/* Images come by rename(2). When the batch goes on, so does its job soon. */
static void watch(const struct run *run)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "incoming/%s/", run->batch.name);
	if (watch_keep(path, IN_MOVED_TO | IN_MOVE_SELF) < 0)
		log_warning("unable to watch %s: %s; what comes is sent a little later", path,
			strerror(errno));
}

/* From one look to the next. 0: it is to be put back; 1: it has been, -1 with errno. */
static int follow(struct run *run)
{
	struct outcome outcome = { 0 };
	enum blame blame = BLAME_IMAGES;
	int64_t until_ms;
	int sent;

	while (may_go_on(run) && !has_job(run)) {
		sent = send_new(run, &outcome, &blame);
		if (sent < 0)
			return -1;
		if (blame >= BLAME_TARGET && may_go_on(run))
			return work_put_off(run->d, run->a, &outcome, blame) < 0 ? -1 : 1;
		if (sent > 0) {
			run->quiet_ms = clock_monotonic_ms() + QUIET_MS;
			continue;
		}
		if (is_over(run, &until_ms))
			break;
		(void)watch_wait(&run->d->loop,
			clock_now_us() + (int64_t)clock_left_ms(until_ms) * 1000, NULL);
		rolls_drain(&run->d->rolls); /* else it would not sleep */
	}
	return 0;
}

/* A target that has failed, or has failed at this entry, is asked whether it is well. As follow().
 */
static int probe(struct run *run)
{
	struct claimed *entry = run->a->claimed;
	struct outcome outcome = { 0 };

	if (entry->target_was_well && run->a->retry.breaks == 0)
		return 0;
	if (sending_probe(run->d, run->a, &outcome) < 0)
		return -1;
	if (outcome.status == 0 && !*outcome.own_fault) {
		claimed_answered(entry);
		return 0;
	}
	entry->target_was_well = false;
	return work_put_off(
		       run->d, run->a, &outcome, *outcome.own_fault ? BLAME_OURS : BLAME_TARGET) < 0
		       ? -1
		       : 1;
}

/* The connection goes on to the job when that is there, as from one job to the next. */
static int put_back(struct run *run)
{
	struct claimed *entry = run->a->claimed;

	entry->images = -1;
	if (run->d->chain.target && has_job(run))
		chain_keep(run->d, entry);
	else
		chain_end(run->d);
	return finish_back(run->a);
}

int ahead_send(struct dispatcher *d, struct attempt *a)
{
	struct claimed *entry = a->claimed;
	int64_t now_ms = clock_monotonic_ms();
	struct run run = {
		.d = d, .a = a, .quiet_ms = now_ms + QUIET_MS, .share_ms = now_ms + SHARE_MS
	};
	enum arriving_is is =
		arriving_open(&run.batch, &d->spool, entry->target, entry->job, entry->dir);
	int result = is == ARRIVING_UNKNOWN ? -1 : 0, saved;

	(void)snprintf(run.job, sizeof(run.job), "%.*s", (int)job_ahead(entry->job), entry->job);
	if (is == ARRIVING_THERE) {
		watch(&run);
		retry_load(entry->dir, &a->retry);
		entry->images = run.batch.dir;
		result = arriving_has(&run.batch) ? probe(&run) : 0;
		if (result == 0) {
			log_info("sending ahead job=%s target=%s from=incoming/%s", run.job,
				entry->target->name, run.batch.name);
			result = follow(&run);
		}
		if (run.stored > 0)
			log_info("sent ahead job=%s target=%s images=%zu", run.job,
				entry->target->name, run.stored);
	}
	if (result == 0)
		result = put_back(&run);
	else
		chain_end(d);
	saved = errno;
	entry->images = -1;
	arriving_close(&run.batch);
	errno = saved;
	return result < 0 ? -1 : 0;
}

int ahead_take_over(const struct claimed *job)
{
	const int queues[] = { job->queue, job->sending };
	char name[EARLY_NAME_SIZE];
	int entry, result = 0, saved;

	early_entry(job->job, name);
	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]) && result == 0; i++) {
		entry = disk_lock_dir(queues[i], name, LOCK_EX | LOCK_NB);
		if (entry < 0) {
			result = errno == ENOENT ? 0 : -1;
			continue;
		}
		result = early_take_over(queues[i], name, entry, job->dir);
		saved = errno;
		(void)close(entry); /* releases the lock */
		errno = saved;
	}
	return result;
}
