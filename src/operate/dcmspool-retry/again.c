#include "again.h"

#include "base/clock.h"
#include "spool/pause.h"
#include "spool/retry.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

static enum again in_queue(int queue, const char *job, struct patience *patience)
{
	int dir = queues_lock(queue, job, patience), waits;
	enum again result = AGAIN_FAILED;

	if (dir < 0)
		return errno == ENOENT        ? AGAIN_GONE
		       : errno == EWOULDBLOCK ? AGAIN_BUSY
					      : AGAIN_FAILED;
	waits = retry_exists(dir);
	if (waits == 0)
		result = AGAIN_NOTHING;
	else if (waits > 0 && retry_remove(dir) == 0 && fsync(dir) == 0)
		result = AGAIN_DONE;
	(void)close(dir); /* releases the lock */
	return result;
}

enum again again_job(const struct spool *spool, const struct queued *job)
{
	struct patience patience = { .left_ms = PATIENCE_MS };
	int queue = disk_open_dir(spool->dir[SPOOL_OUTGOING], job->target);
	char path[2 * QUEUES_NAME_SIZE];
	enum again result = AGAIN_GONE;

	if (queue < 0 && errno != ENOENT)
		return AGAIN_FAILED;
	(void)snprintf(path, sizeof(path), "%s/%s", job->target, job->name);
	/* It may be claimed, or come back, while we look. */
	for (int i = 0; i < 3 && result == AGAIN_GONE; i++) {
		if (queue >= 0)
			result = in_queue(queue, job->name, &patience);
		if (result == AGAIN_GONE && disk_exists(spool->dir[SPOOL_SENDING], path) == 1)
			result = AGAIN_SENDING;
	}
	if (queue >= 0)
		(void)close(queue); /* only used as a base */
	return result;
}

/* Ends the pause, and keeps what it knows: the target is still asked first whether it can be used,
 * so that no image pays for an operator's mistake. */
static enum again end_pause(int queue, char *reason, size_t size)
{
	struct pause pause;
	int paused = pause_load(queue, &pause);

	if (paused == 0)
		return AGAIN_NOTHING;
	if (paused < 0 && errno != EINVAL)
		return AGAIN_FAILED;
	if (paused < 0) /* damaged: it counts for nothing */
		return pause_remove(queue) == 0 && fsync(queue) == 0 ? AGAIN_DONE : AGAIN_FAILED;
	(void)snprintf(reason, size, "%s", pause.reason);
	pause.until_us = clock_now_us();
	return pause_store(queue, &pause) == 0 ? AGAIN_DONE : AGAIN_FAILED;
}

enum again again_target(const struct spool *spool, const char *target, char *reason, size_t size)
{
	struct patience patience = { .left_ms = PATIENCE_MS };
	int queue = queues_lock(spool->dir[SPOOL_OUTGOING], target, &patience);
	enum again result;

	*reason = '\0';
	if (queue < 0)
		return errno == ENOENT        ? AGAIN_NOTHING
		       : errno == EWOULDBLOCK ? AGAIN_BUSY
					      : AGAIN_FAILED;
	result = end_pause(queue, reason, size);
	(void)close(queue); /* releases the lock */
	return result;
}
