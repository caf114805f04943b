#define _GNU_SOURCE /* syncfs */
#include "spool/newjob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/disk.h"
#include "spool/file.h"
#include "spool/plan.h"
#include "spool/series.h"
#include "spool/share.h"

static const char prefix[] = ".new."; /* file_is_temporary() */

/* The directory is locked: nobody is building it. What cannot be removed stays, and means nothing.
 */
static void clear(int queue, int dir, const char *name)
{
	struct disk_names files;

	if (disk_list(dir, ".", &files) < 0)
		return;
	for (size_t i = 0; i < files.count; i++)
		(void)disk_unlink(dir, files.name[i]);
	disk_names_free(&files);
	(void)unlinkat(queue, name, AT_REMOVEDIR);
}

void newjob_clear(const struct spool *spool, const char *target)
{
	int queue = disk_open_dir(spool->dir[SPOOL_OUTGOING], target), dir;
	struct disk_names names = { 0 };

	if (queue >= 0 && disk_list(queue, ".", &names) < 0)
		names.count = 0;
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.name[i];

		if (!file_is_temporary(name) || !job_base(name + sizeof(prefix) - 1))
			continue;
		dir = disk_lock_dir(queue, name, LOCK_EX | LOCK_NB);
		if (dir < 0)
			continue; /* it is being built */
		clear(queue, dir, name);
		(void)close(dir); /* releases the lock */
	}
	disk_names_free(&names);
	if (queue >= 0)
		(void)close(queue); /* only used as a base */
}

/* Between its making and its lock somebody may take it for a leftover: then it is made anew. */
static int make_dir(struct newjob *job)
{
	do {
		if (disk_make_dir(job->queue, job->building) < 0)
			return -1;
		job->dir = disk_lock_dir(job->queue, job->building, LOCK_EX | LOCK_NB);
	} while (job->dir < 0 && (errno == ENOENT || errno == EWOULDBLOCK));
	return job->dir < 0 ? -1 : 0;
}

int newjob_begin(struct newjob *job, const struct spool *spool, const char *target,
	const char *study_uid, const char *series_uid)
{
	*job = (struct newjob){ .spool = spool, .target = target, .queue = -1, .dir = -1 };
	job_name(job->name, sizeof(job->name), spool_now_us(), study_uid, series_uid);
	(void)snprintf(job->building, sizeof(job->building), "%s%s", prefix, job->name);
	if (disk_make_dir(spool->dir[SPOOL_OUTGOING], target) < 0)
		return -1;
	job->queue = disk_open_dir(spool->dir[SPOOL_OUTGOING], target);
	if (job->queue < 0)
		return -1;
	return make_dir(job);
}

static void let_go(struct newjob *job)
{
	int saved = errno;

	if (job->dir >= 0)
		(void)close(job->dir); /* releases the lock */
	if (job->queue >= 0)
		(void)close(job->queue); /* only used as a base */
	job->dir = job->queue = -1;
	errno = saved;
}

int newjob_commit(struct newjob *job, const json_t *series, const json_t *plan)
{
	int known = series_exists(job->dir);

	job_measure(job->dir, &job->measure);
	/* Each file that is written syncs the directory as well, the last one the links. */
	if (known < 0 || (!known && series && series_store(job->dir, series) < 0) ||
		plan_store(job->dir, plan) < 0 ||
		job_store(job->dir, job->name, job->target, series, plan) < 0 ||
		(job->copied && syncfs(job->dir) < 0) ||
		disk_rename(job->queue, job->building, job->queue, job->name) < 0)
		return -1;
	(void)fsync(
		job->queue); /* lost by a power failure, it is as if it had not been asked for */
	let_go(job);
	return 0;
}

void newjob_abandon(struct newjob *job)
{
	int saved = errno;

	if (job->dir >= 0)
		clear(job->queue, job->dir, job->building);
	let_go(job);
	errno = saved;
}
