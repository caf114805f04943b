#include "dispatcher.h"

#include "base/jsonfile.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

int64_t pause_length_us(long n, long min_ms, long max_ms)
{
	int64_t pause_us = (int64_t)min_ms * 1000, max_us = (int64_t)max_ms * 1000;
	uint16_t random = 32768;

	while (n-- > 1 && pause_us < max_us)
		pause_us *= 2;
	if (pause_us > max_us)
		pause_us = max_us;
	if (getrandom(&random, sizeof(random), 0) < 0)
		random = 32768; /* no jitter, then */
	return pause_us * 3 / 4 + pause_us / 2 * random / 65536;
}

int64_t pause_sane_us(const struct conf_target *target, int64_t due_us)
{
	int64_t longest_us = ((int64_t)target->retry_max_ms * 5 / 4 + target->retry_min_ms) * 1000;

	return due_us < 0 || due_us > spool_now_us() + longest_us ? 0 : due_us;
}

int64_t pause_until(int queue, const struct conf_target *target, bool *probing)
{
	json_t *paused = jsonfile_load(queue, "paused.json");
	int64_t until_us = paused ? spool_stamp_time(jsonfile_text(paused, "until")) : 0;

	*probing = paused != NULL;
	json_decref(paused);
	return pause_sane_us(target, until_us);
}

int64_t pause_since(int queue, char *reason, size_t size)
{
	json_t *paused = jsonfile_load(queue, "paused.json");
	int64_t since_us = paused ? spool_stamp_time(jsonfile_text(paused, "since")) : -1;

	(void)snprintf(reason, size, "%s", jsonfile_text(paused, "reason"));
	json_decref(paused);
	return since_us;
}

int64_t pause_target(struct work *work, const char *reason)
{
	const struct conf_target *target = work->target;
	int64_t until_us = spool_now_us(), set_us;
	json_t *before, *paused;
	char until[SPOOL_STAMP_SIZE], since[SPOOL_STAMP_SIZE];
	long failures;

	/* Another dispatcher may have failed at the same moment: read and write are one step. */
	if (queue_lock(work->queue) < 0)
		log_error("unable to lock outgoing/%s: %s; it is paused all the same", target->name,
			strerror(errno));
	before = jsonfile_load(work->queue, "paused.json");
	failures = (long)json_integer_value(json_object_get(before, "failures"));
	set_us = pause_sane_us(target, spool_stamp_time(jsonfile_text(before, "until")));
	if (set_us > until_us) {
		until_us = set_us;
		goto out;
	}
	failures++;
	if (spool_stamp_time(jsonfile_text(before, "since")) >= 0)
		(void)snprintf(since, sizeof(since), "%s", jsonfile_text(before, "since"));
	else
		spool_stamp(until_us, since, sizeof(since));
	until_us += pause_length_us(failures, target->retry_min_ms, target->retry_max_ms);
	spool_stamp(until_us, until, sizeof(until));
	paused = json_pack("{s:s, s:s, s:I, s:s}", "until", until, "since", since, "failures",
		(json_int_t)failures, "reason", reason);
	if (jsonfile_store(work->queue, "paused.json", paused) < 0) {
		log_error("unable to write outgoing/%s/paused.json: %s", target->name,
			strerror(errno));
		until_us = -1;
	}
	json_decref(paused);
out:
	json_decref(before);
	(void)flock(work->queue, LOCK_UN); /* cannot fail on what is locked */
	return until_us;
}

void pause_end(const struct work *work)
{
	if (disk_unlink(work->queue, "paused.json") < 0)
		log_error("unable to remove outgoing/%s/paused.json: %s", work->target->name,
			strerror(errno));
}
