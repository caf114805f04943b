#include "spool/early.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/str.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char temporary[] = ".new."; /* file_is_temporary() */

json_t *early_load(int batch)
{
	return jsonfile_load(batch, file_name(FILE_AHEAD));
}

int early_create(int batch, const json_t *plan)
{
	return jsonfile_create(batch, file_name(FILE_AHEAD), plan);
}

void early_job(const json_t *plan, const char *target, char out[EARLY_NAME_SIZE])
{
	(void)snprintf(out, EARLY_NAME_SIZE, "%s%s", jsonfile_text(plan, "job"),
		job_suffix(plan_priority(plan, target))); /* a longer one is no job's */
}

void early_entry(const char *job, char out[EARLY_NAME_SIZE])
{
	(void)snprintf(out, EARLY_NAME_SIZE, "%.*s%s", EARLY_NAME_SIZE - (int)sizeof(JOB_AHEAD),
		job, JOB_AHEAD); /* a longer one is no job's */
}

/* 1: the entry is in one of the target's queues, 0: not, -1 with errno. */
static int exists(const struct spool *spool, const char *target, const char *name)
{
	char path[2 * NAME_MAX + 2];
	int result = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", target, name); /* name_ok(): fits */
	for (enum spool_dir dir = stage_next(SPOOL_ROOT, STAGE_QUEUES);
		result == 0 && dir < SPOOL_DIRS; dir = stage_next(dir, STAGE_QUEUES))
		result = disk_exists(spool->dir[dir], path);
	return result;
}

static int write_job(
	int dir, const json_t *plan, const char *job, const char *target, const char *batch)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:O?}", "job", job, "target", target, "batch",
		batch, "rules", plan_rules(plan));
	int result = jsonfile_store(dir, file_name(FILE_JOB), json);

	json_decref(json);
	return result;
}

/* Between its making and its lock somebody may take it for a leftover of a crash. */
static int make(int queue, const char *building)
{
	int dir;

	do {
		if (disk_make_dir(queue, building) < 0)
			return -1;
		dir = disk_lock_dir(queue, building, LOCK_EX | LOCK_NB);
	} while (dir < 0 && errno == ENOENT);
	return dir;
}

static int enter(
	int queue, const json_t *plan, const char *job, const char *target, const char *batch)
{
	char entry[EARLY_NAME_SIZE], building[EARLY_NAME_SIZE + 8];
	int dir, result;

	early_entry(job, entry);
	(void)snprintf(building, sizeof(building), "%s%s", temporary, entry);
	dir = make(queue, building);
	if (dir < 0)
		return errno == EWOULDBLOCK ? 0 : -1; /* another router is making it */
	result = write_job(dir, plan, job, target, batch);
	if (result == 0)
		result = disk_rename(queue, building, queue, entry);
	if (result < 0 && errno == EEXIST)
		result = early_take_over(queue, building, dir, -1);
	(void)close(dir); /* releases the lock */
	return result;
}

int early_enter(
	const struct spool *spool, const json_t *plan, const char *target, const char *batch)
{
	char job[EARLY_NAME_SIZE], entry[EARLY_NAME_SIZE];
	int queue, result;

	early_job(plan, target, job);
	early_entry(job, entry);
	result = exists(spool, target, entry);
	if (result != 0)
		return result < 0 ? -1 : 0;
	if (disk_make_dir(spool->dir[SPOOL_OUTGOING], target) < 0)
		return -1;
	queue = disk_open_dir(spool->dir[SPOOL_OUTGOING], target);
	if (queue < 0)
		return -1;
	result = enter(queue, plan, job, target, batch);
	(void)close(queue); /* only used as a base */
	return result;
}

char *early_batch(int entry)
{
	json_t *json = job_load(entry);
	char *batch = NULL;
	int saved = errno;

	if (json) {
		batch = name_ok(jsonfile_text(json, "batch")) ? strdup(jsonfile_text(json, "batch"))
							      : NULL;
		saved = EINVAL;
	}
	json_decref(json);
	errno = saved;
	return batch;
}

/* A job that has such a file already keeps it. */
static int hand(int entry, int job, enum file file)
{
	const char *name = file_name(file);

	if (job >= 0 && disk_rename(entry, name, job, name) < 0 && errno != ENOENT &&
		errno != EEXIST)
		return -1;
	return file_remove(entry, file);
}

static int clear(int entry)
{
	struct disk_names names;
	int result = disk_list(entry, ".", &names);

	for (size_t i = 0; result == 0 && i < names.count; i++)
		if (file_is_temporary(names.name[i]))
			(void)disk_unlink(entry, names.name[i]); /* the rmdir tells */
	disk_names_free(&names);
	return result;
}

/* What somebody asks for meanwhile (`cancelled`) is seen by the next try. */
int early_take_over(int queue, const char *name, int entry, int job)
{
	enum { TRIES = 3 };

	for (int i = 0; i < TRIES; i++) {
		if (hand(entry, job, FILE_CANCELLED) < 0 || hand(entry, job, FILE_LEDGER) < 0 ||
			file_remove(entry, FILE_RETRY) < 0 || clear(entry) < 0 ||
			file_remove(entry, FILE_JOB) < 0)
			return -1;
		if (unlinkat(queue, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -1;
	}
	return -1;
}

void early_clear(int queue, const char *name)
{
	int dir = job_ahead(name + strlen(temporary))
			  ? disk_lock_dir(queue, name, LOCK_EX | LOCK_NB)
			  : -1;

	if (dir < 0) {
		(void)disk_unlink(queue, name); /* its writer held the lock; a directory stays */
		return;
	}
	(void)early_take_over(queue, name, dir, -1); /* what stays means nothing */
	(void)close(dir);                            /* releases the lock */
}
