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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RESTING_MAX = 64, AGAIN_US = 5000000, FOREIGN_US = 30000000 };

static uint32_t study_of(const char *name)
{
	const char *study = job_study(name);

	return study ? (uint32_t)strtoul(study, NULL, 16) : 0;
}

/* What the names say. Returns -1 when memory is short. */
static int read_names(struct queue *queue)
{
	size_t waiting = queue->waiting_names.count, running = queue->running.count;

	queue->waiting = calloc(waiting + 1, sizeof(*queue->waiting));
	queue->running_study = calloc(running + 1, sizeof(*queue->running_study));
	if (!queue->waiting || !queue->running_study) {
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = 0; i < running; i++)
		queue->running_study[i] = study_of(queue->running.name[i]);
	for (size_t i = 0; i < waiting; i++) {
		const char *name = queue->waiting_names.name[i];

		if (file_is_temporary(name))
			early_clear(queue->outgoing, name);
		queue->waiting[i] = (struct waiting){ .name = name,
			.time_us = spool_stamp_time(name),
			.study = study_of(name),
			.priority = job_priority(name),
			.series_number = NUMBER_UNKNOWN };
	}
	return 0;
}

int queue_open(
	struct dispatcher *d, const struct conf_target *target, bool waiting, struct queue *queue)
{
	*queue = (struct queue){ .target = target, .outgoing = -1, .sending = -1 };
	queue->outgoing = disk_open_dir(d->spool.dir[SPOOL_OUTGOING], target->name);
	queue->sending = disk_open_dir(d->spool.dir[SPOOL_SENDING], target->name);
	if (queue->outgoing < 0 || queue->sending < 0 || pausing_lock(queue->outgoing) < 0 ||
		disk_list(queue->sending, ".", &queue->running) < 0 ||
		(waiting && disk_list(queue->outgoing, ".", &queue->waiting_names) < 0))
		return -1;
	return read_names(queue);
}

void queue_close(struct queue *queue)
{
	disk_names_free(&queue->waiting_names);
	disk_names_free(&queue->running);
	free(queue->waiting);
	free(queue->running_study);
	if (queue->outgoing >= 0)
		(void)close(queue->outgoing); /* releases the lock */
	if (queue->sending >= 0)
		(void)close(queue->sending);
}

bool queue_is_job(const char *name)
{
	return name_ok(name) && strlen(name) < QUEUE_NAME_SIZE &&
	       !file_is_ours(FILE_IN_QUEUE, name);
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

	if (!queue_is_job(name))
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
