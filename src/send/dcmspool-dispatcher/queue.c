#include "queue.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "dispatcher.h"
#include "pausing.h"
#include "spool/early.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RESTING_MAX = 64, AGAIN_US = 5000000, FOREIGN_US = 30000000 };

static int read_running(struct queue *queue)
{
	size_t running = queue->running.count;

	queue->running_study = calloc(running + 1, sizeof(*queue->running_study));
	if (!queue->running_study) {
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = 0; i < running; i++)
		queue->running_study[i] = roll_study(queue->running.name[i]);
	return 0;
}

/* What lies there under such a name is of a killed writer: others held the lock that we have. */
static void remove_temporary(const struct queue *queue)
{
	for (struct waiting *w = roll_first(queue->roll, ROLL_TEMPORARY); w;
		w = roll_next(queue->roll, w))
		early_clear(queue->outgoing, w->name);
}

int queue_open(
	struct dispatcher *d, const struct conf_target *target, bool waiting, struct queue *queue)
{
	*queue = (struct queue){ .target = target, .outgoing = -1, .sending = -1 };
	queue->outgoing = disk_open_dir(d->spool.dir[SPOOL_OUTGOING], target->name);
	queue->sending = disk_open_dir(d->spool.dir[SPOOL_SENDING], target->name);
	if (queue->outgoing < 0 || queue->sending < 0 || pausing_lock(queue->outgoing) < 0 ||
		disk_list(queue->sending, ".", &queue->running) < 0)
		return -1;
	if (waiting) {
		queue->roll = queue_roll(d, target, queue->outgoing);
		if (!queue->roll)
			return -1;
		remove_temporary(queue);
	}
	return read_running(queue);
}

void queue_close(struct queue *queue)
{
	disk_names_free(&queue->running);
	free(queue->running_study);
	if (queue->outgoing >= 0)
		(void)close(queue->outgoing); /* releases the lock */
	if (queue->sending >= 0)
		(void)close(queue->sending);
}

void queue_watch_failed(struct dispatcher *d, const char *path)
{
	log_error("unable to watch %s: %s; it is tried again", path, strerror(errno));
	loop_at(&d->loop, clock_now_us() + FOREIGN_US);
}

struct roll *queue_roll(struct dispatcher *d, const struct conf_target *target, int outgoing)
{
	struct roll *roll = &d->rolls.roll[target - d->conf->target];
	char path[300];
	int watched;

	if (roll_refresh(&d->rolls, roll, outgoing, &watched) < 0)
		return NULL;
	if (watched != 0) {
		(void)snprintf(
			path, sizeof(path), "%s/%s/", spool_name(SPOOL_OUTGOING), target->name);
		errno = watched;
		queue_watch_failed(d, path);
	}
	loop_at(&d->loop, roll_wake(roll, pausing_longest_us(target)));
	return roll;
}

bool queue_look_failed(struct dispatcher *d)
{
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return false;
	/* Who may look at what does not change in seconds. */
	loop_at(&d->loop, clock_now_us() + (errno == EACCES ? FOREIGN_US : AGAIN_US));
	return true;
}

/* When the directory or an image of it was last written to; a move leaves that alone. It may be a
 * copy that is still being made. -1 with errno. */
static int64_t changed_us(int dir)
{
	struct disk_names images;
	struct stat st;
	int64_t latest_us = -1;

	if (job_images(dir, &images) < 0)
		return -1;
	if (fstat(dir, &st) == 0)
		latest_us = clock_mtime_us(&st);
	for (size_t i = 0; latest_us >= 0 && i < images.count; i++)
		if (fstatat(dir, images.name[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			clock_mtime_us(&st) > latest_us)
			latest_us = clock_mtime_us(&st);
	disk_names_free(&images);
	return latest_us;
}

bool queue_is_quiet(struct dispatcher *d, int dir)
{
	int64_t grace_us = (int64_t)d->conf->router.association_grace_ms * 1000;
	int64_t changed = changed_us(dir);

	if (changed < 0)
		return !queue_look_failed(d);
	if (clock_is_due(changed + grace_us, grace_us))
		return true;
	loop_at(&d->loop, changed + grace_us);
	return false;
}

bool queue_is_claimable(struct dispatcher *d, int dir, const char *name)
{
	struct stat st;

	if (!roll_is_job(name))
		return false;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return queue_look_failed(d); /* it may be one */
	return S_ISDIR(st.st_mode);
}

static bool has_held(struct dispatcher *d, int outgoing)
{
	int exists = file_exists(outgoing, FILE_HELD);

	/* What cannot be looked at is held: an operator's word must not be overlooked. */
	return exists < 0 ? queue_look_failed(d) : exists == 1;
}

bool queue_is_held(struct dispatcher *d, int outgoing)
{
	return has_held(d, d->spool.dir[SPOOL_OUTGOING]) || has_held(d, outgoing);
}

void queue_rest(struct dispatcher *d, const struct conf_target *target, const char *job)
{
	if (rest_add(&d->resting, job, target->name) < 0)
		die(EXIT_TEMPORARY, "out of memory");
	(void)queue_is_resting(d, target, job); /* the end of its rest wakes us */
}

bool queue_is_resting(struct dispatcher *d, const struct conf_target *target, const char *job)
{
	int64_t until_us = rest_until(&d->resting, job, target->name);

	loop_at(&d->loop, until_us);
	return until_us > 0;
}

bool queue_is_exhausted(struct dispatcher *d)
{
	int64_t first_us;

	if (rest_count(&d->resting, &first_us) < RESTING_MAX)
		return false;
	loop_at(&d->loop, first_us);
	return true;
}
