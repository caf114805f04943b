#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/disk.h"
#include "spool/job.h"
#include "base/log.h"
#include "spool/spool.h"
#include "base/str.h"

static void add(struct jobs *jobs, const char *directory, const char *name)
{
	/* job_study() is "<8 hex>.<8 hex>" and what follows. */
	const char *study = job_study(name);
	struct job_copy *copy = &jobs->copy[jobs->count++];
	struct buf path = { 0 };

	copy->key = strndup(name, study ? (size_t)(study - name) + 17 : strlen(name));
	buf_printf(&path, "%s/%s", directory, name);
	if (path.failed || !copy->key)
		die(EXIT_TEMPORARY, "unable to list %s: out of memory", directory);
	copy->path = path.data;
}

static void list(struct jobs *jobs, const char *spool, enum spool_dir dir)
{
	struct disk_names names;
	struct job_copy *more;
	struct buf path = { 0 };

	buf_printf(&path, "%s/%s", spool, spool_name(dir));
	if (path.failed || disk_list(AT_FDCWD, path.data, &names) < 0)
		die(EXIT_TEMPORARY, "unable to list %s/%s: %s", spool, spool_name(dir),
			path.failed ? "out of memory" : strerror(errno));
	more = realloc(jobs->copy, (jobs->count + names.count + 1) * sizeof(*more));
	if (!more)
		die(EXIT_TEMPORARY, "unable to list %s: out of memory", path.data);
	jobs->copy = more;
	for (size_t i = 0; i < names.count; i++)
		if (names.name[i][0] != '.') /* being deleted */
			add(jobs, path.data, names.name[i]);
	disk_names_free(&names);
	buf_free(&path);
}

static int by_key(const void *a, const void *b)
{
	const struct job_copy *left = a, *right = b;
	int order = strcmp(left->key, right->key);

	return order ? order : strcmp(left->path, right->path);
}

void jobs_list(struct jobs *jobs, const char *spool)
{
	*jobs = (struct jobs){ 0 };
	for (int dir = 0; dir < SPOOL_DIRS; dir++)
		if (spool_stage[dir].expires)
			list(jobs, spool, dir);
	qsort(jobs->copy, jobs->count, sizeof(*jobs->copy), by_key);
}

void jobs_free(struct jobs *jobs)
{
	for (size_t i = 0; i < jobs->count; i++) {
		free(jobs->copy[i].key);
		free(jobs->copy[i].path);
	}
	free(jobs->copy);
	*jobs = (struct jobs){ 0 };
}
