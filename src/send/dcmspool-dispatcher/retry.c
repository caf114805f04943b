/*
 * retry.json: not_before, and for a job at which the target failed although it was well: breaks,
 * how often in a row, and since when. Such a job waits longer each time: whether it is the job's
 * fault or the target's, the others must get through. One such failure proves nothing: without a
 * pause (somebody has removed paused.json) it keeps no job waiting.
 */
#include "dispatcher.h"

#include "base/jsonfile.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int64_t retry_due(const struct queue *queue, int dir)
{
	json_t *retry = jsonfile_load(dir, "retry.json");
	int64_t due_us = retry ? spool_stamp_time(jsonfile_text(retry, "not_before")) : 0;
	const json_t *breaks = json_object_get(retry, "breaks");

	if (breaks && json_integer_value(breaks) < 2 && !queue->is_paused)
		due_us = 0;
	json_decref(retry);
	return pause_sane_us(queue->target, due_us);
}

void retry_load(struct work *work)
{
	json_t *retry = jsonfile_load(work->dir, "retry.json");

	work->breaks = (long)json_integer_value(json_object_get(retry, "breaks"));
	work->breaks_since_us = spool_stamp_time(jsonfile_text(retry, "since"));
	if (work->breaks_since_us < 0)
		work->breaks_since_us = spool_now_us();
	json_decref(retry);
}

static json_t *retry_json(const struct work *work, int64_t retry_us, bool has_broken)
{
	char not_before[SPOOL_STAMP_SIZE], since[SPOOL_STAMP_SIZE];

	spool_stamp(retry_us, not_before, sizeof(not_before));
	spool_stamp(work->breaks_since_us, since, sizeof(since));
	if (!has_broken)
		return json_pack("{s:s}", "not_before", not_before);
	return json_pack("{s:s, s:I, s:s}", "not_before", not_before, "breaks",
		(json_int_t)work->breaks, "since", since);
}

int retry_return(struct work *work, int64_t retry_us, bool has_broken)
{
	json_t *retry;
	int result;

	if (retry_us > 0) {
		retry = retry_json(work, retry_us, has_broken);
		result = jsonfile_store(work->dir, "retry.json", retry);
		json_decref(retry);
	} else {
		result = disk_unlink(work->dir, "retry.json");
	}
	if (result == 0)
		result = ledger_sync(work);
	if (result < 0)
		return -1;
	return disk_rename(work->sending, work->job, work->queue, work->job);
}
