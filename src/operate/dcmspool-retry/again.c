#include "again.h"

#include "base/jsonfile.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

/* Removes a file that makes somebody wait. */
static enum again removed(int dir, const char *name)
{
	if (unlinkat(dir, name, 0) == 0)
		return fsync(dir) < 0 ? AGAIN_FAILED : AGAIN_DONE;
	return errno == ENOENT ? AGAIN_NOTHING : AGAIN_FAILED;
}

static enum again in_queue(int queue, const char *job, struct patience *patience)
{
	enum again result;
	int dir = queues_lock(queue, job, patience);

	if (dir < 0)
		return errno == ENOENT        ? AGAIN_GONE
		       : errno == EWOULDBLOCK ? AGAIN_BUSY
					      : AGAIN_FAILED;
	result = removed(dir, "retry.json");
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
static enum again end_pause(int queue, json_t *paused)
{
	char stamp[SPOOL_STAMP_SIZE];

	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	(void)json_object_set_new(paused, "until", json_string(stamp));
	return jsonfile_store(queue, "paused.json", paused) < 0 ? AGAIN_FAILED : AGAIN_DONE;
}

enum again again_target(const struct spool *spool, const char *target, char *reason, size_t size)
{
	struct patience patience = { .left_ms = PATIENCE_MS };
	int queue = queues_lock(spool->dir[SPOOL_OUTGOING], target, &patience);
	enum again result = AGAIN_NOTHING;
	json_t *paused;

	*reason = '\0';
	if (queue < 0)
		return errno == ENOENT        ? AGAIN_NOTHING
		       : errno == EWOULDBLOCK ? AGAIN_BUSY
					      : AGAIN_FAILED;
	paused = jsonfile_load(queue, "paused.json");
	(void)snprintf(reason, size, "%s", jsonfile_text(paused, "reason"));
	if (paused)
		result = end_pause(queue, paused);
	else if (errno != ENOENT) /* damaged: it counts for nothing */
		result = removed(queue, "paused.json");
	json_decref(paused);
	(void)close(queue); /* releases the lock */
	return result;
}
