/*
 * find: where in the spool a job is.
 */
#include "series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "spool/job.h"
#include "spool/spool.h"
#include "base/str.h"

/* Whether a directory's name is the job's: itself, or with priority, target or number behind. */
static bool is_of_job(const char *entry, const char *job)
{
	size_t length = strlen(job);

	if (strcmp(entry, job) == 0)
		return true;
	return job_study(job) && strncmp(entry, job, length) == 0 &&
	       (entry[length] == '.' || entry[length] == '~');
}

static int add(struct disk_names *out, const char *directory, const char *entry)
{
	struct buf path = { 0 };
	int result;

	buf_printf(&path, "%s/%s", directory, entry);
	if (path.failed)
		errno = ENOMEM;
	result = path.failed ? -1 : disk_names_add(out, path.data);
	buf_free(&path);
	return result;
}

/* One directory of jobs. */
static int look_into(const char *directory, const char *job, struct disk_names *out)
{
	struct disk_names entries;
	int result = 0;

	if (disk_list(AT_FDCWD, directory, &entries) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
	for (size_t i = 0; i < entries.count && result == 0; i++)
		if (is_of_job(entries.name[i], job))
			result = add(out, directory, entries.name[i]);
	disk_names_free(&entries);
	return result;
}

/* One directory of queues. */
static int look_into_queues(const char *directory, const char *job, struct disk_names *out)
{
	struct disk_names queues, paths = { 0 };
	int result = 0;

	if (disk_list(AT_FDCWD, directory, &queues) < 0)
		return errno == ENOENT ? 0 : -1;
	for (size_t i = 0; i < queues.count && result == 0; i++)
		result = add(&paths, directory, queues.name[i]);
	for (size_t i = 0; i < paths.count && result == 0; i++)
		result = look_into(paths.name[i], job, out);
	disk_names_free(&queues);
	disk_names_free(&paths);
	return result;
}

int series_find(const char *spool, const char *name, struct disk_names *out)
{
	int result = 0;

	*out = (struct disk_names){ 0 };
	/* In the order in which a job passes them, so that one that moves on while we look is met
	 * again rather than missed. */
	for (int dir = 0; dir < SPOOL_DIRS && result == 0; dir++) {
		enum stage_holds holds = spool_stage[dir].holds;
		struct buf path = { 0 };

		if (holds != STAGE_BATCHES && holds != STAGE_JOBS && holds != STAGE_QUEUES &&
			holds != STAGE_ENDED)
			continue;
		buf_printf(&path, "%s/%s", spool, spool_name(dir));
		if (path.failed) {
			errno = ENOMEM;
			result = -1;
		} else {
			result = (holds == STAGE_QUEUES ? look_into_queues : look_into)(
				path.data, name, out);
		}
		buf_free(&path);
	}
	if (result < 0)
		disk_names_free(out);
	return result;
}
