/*
 * When is a batch complete? STATES.md 4.
 */
#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "spool/assoc.h"
#include "spool/file.h"
#include "spool/job.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

static bool is_among(const struct disk_names *connected, const char *association)
{
	size_t low = 0, high = connected->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(connected->name[middle], association);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Does a connection that is still open count the batch among its own? 1, 0, or -1 with errno. */
static int is_fed(const struct disk_names *connected, int batch)
{
	int fd = disk_open_dir(batch, "."), fed = 0, saved;
	struct dirent *entry;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return fd < 0 ? -1 : disk_close(fd, -1);
	while (fed == 0 && (errno = 0, (entry = readdir(dir)))) {
		const char *association = assoc_of_marker(entry->d_name);

		fed = assoc_is_marker(entry->d_name) &&
		      (strcmp(association, assoc_unknown) == 0 || is_among(connected, association));
	}
	saved = errno;
	(void)closedir(dir); /* only read */
	errno = saved;
	return fed == 0 && saved ? -1 : fed;
}

/* When the batch of connections is complete, STATES.md 4; -1 with errno. */
static int64_t received_due(const struct router *router, const struct disk_names *connected,
	int batch, const char *name, bool *is_open)
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
	*is_open = fed;
	return clock_mtime_us(&st) + (fed ? conf->series_timeout_ms * 1000 : grace_us);
}

int64_t complete_due(const struct router *router, const struct disk_names *connected, int batch,
	const char *name, bool *fed)
{
	int64_t rests_us = rest_until(&router->rest, name, NULL);
	int complete, job;

	*fed = false;
	if (rests_us > 0)
		return rests_us;
	complete = file_exists(batch, FILE_COMPLETE);
	if (complete != 0)
		return complete < 0 ? -1 : 0;
	job = job_exists(batch);
	if (job < 0)
		return -1;
	/* It may be a copy that is still being made (cp -r, mv from another file system). */
	return job ? quiet_due(router, name) : received_due(router, connected, batch, name, fed);
}
