#include "split.h"

#include "given_up.h"
#include "spool/file.h"
#include "untold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

void split_name(const struct claimed *claimed, char *out, size_t size)
{
	(void)snprintf(out, size, "%s.%s", claimed->job, claimed->target->name);
}

static int link_into(int job, int to, const char *name)
{
	if (linkat(job, name, to, name, 0) == 0 || errno == EEXIST || errno == ENOENT)
		return 0;
	return -1;
}

/* The ledger is written in place: each part of the job has its own. */
static int copy_ledger(int job, int failed)
{
	const char *name = file_name(FILE_LEDGER);
	int from = openat(job, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), to, result = -1;

	if (from < 0)
		return errno == ENOENT ? 0 : -1;
	to = openat(failed, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
	if (to >= 0 && disk_copy(from, 0, to) == 0 && fsync(to) == 0)
		result = 0;
	if (to >= 0)
		result = disk_close(to, result);
	(void)close(from); /* only read */
	return result;
}

/* Fills .failed with links of the images that were given up and of what explains them. */
static int fill_failed(const struct attempt *attempt, int failed)
{
	static const enum file explaining[] = { FILE_SERIES, FILE_JOB, FILE_PLAN };
	int job = attempt->claimed->dir;

	for (size_t i = 0; i < attempt->answers.count; i++) {
		const struct image *image = &attempt->answers.image[i];

		if (given_up_is(attempt, image) && link_into(job, failed, image->name) < 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(explaining) / sizeof(explaining[0]); i++)
		if (link_into(job, failed, file_name(explaining[i])) < 0)
			return -1;
	if (copy_ledger(job, failed) < 0)
		return -1;
	return given_up_tell(attempt, failed);
}

/* An image that was given up and lies in error/ as well goes from the job: the split was committed.
 * One that was not may be a link of it all the same: the router links a job for each target.
 * Returns how many went, or -1. */
static int drop_committed(const struct attempt *attempt, int error_dir)
{
	int job = attempt->claimed->dir, dropped = 0;
	struct stat here, there;

	for (size_t i = 0; i < attempt->answers.count; i++) {
		const struct image *image = &attempt->answers.image[i];

		if (!given_up_by_ledger(attempt, image) ||
			fstatat(error_dir, image->name, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
			fstatat(job, image->name, &here, AT_SYMLINK_NOFOLLOW) < 0 ||
			!disk_same_file(&here, &there))
			continue;
		if (disk_unlink(job, image->name) < 0)
			return -1;
		dropped++;
	}
	return dropped;
}

/* Removes a .failed that was never committed: links only, their images are in the job. */
static int drop_uncommitted(int job)
{
	struct disk_names names;
	int dir = disk_open_dir(job, file_name(FILE_FAILED)), result = 0;

	if (dir < 0)
		return errno == ENOENT ? 0 : -1;
	result = disk_list(dir, ".", &names);
	for (size_t i = 0; result == 0 && i < names.count; i++)
		result = disk_unlink(dir, names.name[i]);
	disk_names_free(&names);
	(void)close(dir); /* only used as a base */
	return result < 0 ? -1 : unlinkat(job, file_name(FILE_FAILED), AT_REMOVEDIR);
}

/* The split may have found its name in error/ taken, and have taken name~2, name~3 ... : looks at
 * all. */
int split_complete(const struct spool *spool, const struct attempt *attempt)
{
	char name[SPLIT_NAME_SIZE], numbered[SPLIT_NAME_SIZE + 16];
	int error_dir, result = 0, dropped = 0;

	split_name(attempt->claimed, name, sizeof(name));
	for (int i = 1; result >= 0; i++) {
		if (i == 1)
			(void)snprintf(numbered, sizeof(numbered), "%s", name);
		else
			(void)snprintf(numbered, sizeof(numbered), "%s~%d", name, i);
		error_dir = disk_open_dir(spool->dir[SPOOL_ERROR], numbered);
		if (error_dir < 0)
			return errno == ENOENT ? dropped : -1;
		result = drop_committed(attempt, error_dir);
		dropped += result;
		if (result >= 0)
			untold_tell(spool, error_dir, numbered);
		(void)close(error_dir); /* only used as a base */
	}
	return result;
}

/* Whoever writes a file of the job has its lock, which is ours. */
static int drop_temporary(int job)
{
	struct disk_names names;
	int result = disk_list(job, ".", &names);

	for (size_t i = 0; result == 0 && i < names.count; i++)
		if (file_is_temporary(names.name[i]))
			(void)disk_unlink(job, names.name[i]); /* a directory stays */
	disk_names_free(&names);
	return result;
}

int split_clean(int job)
{
	return drop_temporary(job) < 0 ? -1 : drop_uncommitted(job);
}

int split_job(const struct spool *spool, const struct attempt *attempt, char *made, size_t size)
{
	const char *new_name = file_name(FILE_FAILED);
	int job = attempt->claimed->dir, failed, result;
	char name[SPLIT_NAME_SIZE];

	if (disk_make_dir(job, new_name) < 0) /* split_clean() has removed an old one */
		return -1;
	failed = disk_open_dir(job, new_name);
	if (failed < 0)
		return -1;
	split_name(attempt->claimed, name, sizeof(name));
	result = fill_failed(attempt, failed);
	if (result == 0)
		result = fsync(failed);
	if (result == 0)
		result = disk_rename_unique(
			job, new_name, spool->dir[SPOOL_ERROR], name, made, size);
	if (result == 0)
		result = drop_committed(attempt, failed);
	(void)close(failed); /* only used as a base */
	return result < 0 ? -1 : 0;
}
