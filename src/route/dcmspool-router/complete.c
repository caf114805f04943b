/*
 * When is a batch complete? STATES.md 4.
 */
#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "spool/assoc.h"
#include "spool/file.h"
#include "spool/job.h"

#include <errno.h>

/* Does a connection that is still open count the batch among its own? 1, 0, or -1 with errno. */
static int is_fed(const struct disk_names *connected, int batch)
{
	char marker[ASSOC_MARKER_SIZE];
	int result;

	assoc_marker(assoc_unknown, marker);
	result = disk_exists(batch, marker);
	for (size_t i = 0; i < connected->count && result == 0; i++) {
		assoc_marker(connected->name[i], marker);
		result = disk_exists(batch, marker);
	}
	return result;
}

/* When the batch of connections is complete, STATES.md 4; -1 with errno. */
static int64_t received_due(const struct router *router, const struct disk_names *connected,
	int batch, const char *name)
{
	const struct conf_router *conf = &router->conf->router;
	int64_t now_us = clock_now_us(), grace_us = conf->association_grace_ms * 1000;
	struct stat st;
	int fed;

	if (fstat(batch, &st) < 0)
		return -1;
	if (clock_mtime_us(&st) > now_us + 1000000) { /* the clock was set back */
		log_warning("incoming/%s is newer than now; counted from now", name);
		(void)futimens(batch, NULL); /* else it waits until then */
		return now_us + grace_us;
	}
	if (clock_mtime_us(&st) + grace_us > now_us)
		return clock_mtime_us(&st) + grace_us;
	fed = is_fed(connected, batch);
	if (fed < 0)
		return -1;
	return clock_mtime_us(&st) + (fed ? conf->series_timeout_ms * 1000 : grace_us);
}

int64_t complete_due(const struct router *router, const struct disk_names *connected, int batch,
	const char *name)
{
	int64_t rests_us = rest_until(&router->rest, name, NULL);
	int complete, job;

	if (rests_us > 0)
		return rests_us;
	complete = file_exists(batch, FILE_COMPLETE);
	if (complete != 0)
		return complete < 0 ? -1 : 0;
	job = job_exists(batch);
	if (job < 0)
		return -1;
	/* It may be a copy that is still being made (cp -r, mv from another file system). */
	return job ? quiet_due(router, name) : received_due(router, connected, batch, name);
}
