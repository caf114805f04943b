/*
 * Jobs moved back by hand. A series that was sent to three targets lies in success/ three times,
 * the same files by hard links: moved back together they are one job again. Of those that have the
 * same job in job.json the one that is claimed takes the others' images along, by unlinking them
 * there.
 */
#include "router.h"

#include "base/jsonfile.h"
#include "base/log.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* The job without its priority, in memory that the caller frees: "" when job.json says none; NULL
 * with errno. */
static char *job_of(int dir)
{
	json_t *json = job_load(dir);
	const char *job = jsonfile_text(json, "job");
	char *copy = NULL;

	if (json || errno == ENOENT || errno == EINVAL)
		copy = strndup(job, strlen(job) - strlen(job_suffix(job_priority(job))));
	json_decref(json);
	return copy;
}

int resends_add(struct resends *resends, int batch, const char *name)
{
	struct resend *more = realloc(resends->item, (resends->count + 1) * sizeof(*more));
	char *job;

	if (!more)
		return -1;
	resends->item = more;
	job = job_of(batch);
	if (!job)
		return -1;
	more[resends->count++] = (struct resend){ .name = name, .job = job };
	return 0;
}

void resends_free(struct resends *resends)
{
	for (size_t i = 0; i < resends->count; i++)
		free(resends->item[i].job);
	free(resends->item);
	*resends = (struct resends){ 0 };
}

static bool is_shared(int batch, int sibling, const char *name)
{
	struct stat ours, theirs;

	return fstatat(batch, name, &ours, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(sibling, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(ours.st_mode) &&
	       disk_same_file(&ours, &theirs);
}

/* Unlinks in the sibling the images that are also in the batch. Returns how many images are left,
 * or -1. */
static int unlink_shared(int batch, int sibling, const struct disk_names *images)
{
	int left = 0;

	for (size_t i = 0; i < images->count && left >= 0; i++)
		if (!is_shared(batch, sibling, images->name[i]))
			left++; /* or it cannot be known: then it stays */
		else if (disk_unlink(sibling, images->name[i]) < 0)
			left = -1;
	return left;
}

/* Told before the first image goes: a kill that meets us on the way leaves the sibling with fewer
 * images than it came with, and whoever goes on tells of the rest only. */
static void tell_shared(struct router *router, int batch, const char *into, int sibling,
	const char *name, const struct disk_names *images)
{
	char count[24];
	size_t shared = 0;

	for (size_t i = 0; i < images->count; i++)
		shared += is_shared(batch, sibling, images->name[i]);
	(void)snprintf(count, sizeof(count), "%zu", images->count);
	if (shared > 0)
		journal_write(&router->spool, "merged", "from", name, "into", into, "images", count,
			NULL);
}

/* Removes what an earlier job has left, and the directory. job.json goes last: until then it is a
 * resend, which the router removes when it has no image. With anything else in it, it stays one. */
static int remove_rest(int incoming, int sibling, const char *name)
{
	struct disk_names names;
	bool others = false;
	int result = disk_list(sibling, ".", &names);

	for (size_t i = 0; i < names.count; i++)
		others |= !file_is_spent(names.name[i]) &&
			  strcmp(names.name[i], file_name(FILE_SERIES)) != 0 &&
			  strcmp(names.name[i], file_name(FILE_PLAN)) != 0;
	for (size_t i = 0; i < names.count && result == 0 && !others; i++)
		if (strcmp(names.name[i], file_name(FILE_JOB)) != 0)
			result = disk_unlink(sibling, names.name[i]);
	disk_names_free(&names);
	if (result < 0 || others)
		return result;
	return file_remove(sibling, FILE_JOB) < 0 ? -1 : unlinkat(incoming, name, AT_REMOVEDIR);
}

static int take_along(struct router *router, int batch, const char *into, const char *name)
{
	int incoming = router->spool.dir[SPOOL_INCOMING], left;
	int sibling = disk_lock_dir(incoming, name, LOCK_EX | LOCK_NB);
	struct disk_names images;

	if (sibling < 0)
		return errno == ENOENT ? 0 : -1;
	left = job_images(sibling, &images);
	if (left == 0) {
		tell_shared(router, batch, into, sibling, name, &images);
		left = unlink_shared(batch, sibling, &images);
		disk_names_free(&images);
	}
	if (left == 0)
		left = remove_rest(incoming, sibling, name);
	if (left == 0)
		log_info("the same images lie in a resend that is taken from=incoming/%s", name);
	(void)close(sibling); /* releases the lock */
	return left < 0 ? -1 : 0;
}

int resends_take(struct router *router, const struct resends *resends, int batch, const char *name)
{
	const char *job = "";

	for (size_t i = 0; i < resends->count; i++)
		if (resends->item[i].name == name)
			job = resends->item[i].job;
	for (size_t i = 0; i < resends->count && *job; i++)
		if (resends->item[i].name != name && strcmp(resends->item[i].job, job) == 0 &&
			take_along(router, batch, name, resends->item[i].name) < 0)
			return -1;
	return 0;
}
