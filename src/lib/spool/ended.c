#include "spool/ended.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/ledger.h"
#include "spool/reason.h"
#include "spool/told.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* In discard/ a job with a target was taken from its queue; without, no rule wanted it. In error/
 * only what a target did not take is a job. */
static const char *outcome(enum spool_dir where, const char *target)
{
	if (where == SPOOL_SUCCESS)
		return "sent";
	if (where == SPOOL_ERROR)
		return target ? "failed" : NULL;
	return target ? "cancelled" : "discarded";
}

int ended_load(struct ended *ended, int dir, enum spool_dir where, const char *name)
{
	struct disk_names images;
	json_int_t count;

	*ended = (struct ended){ .from = spool_name(where), .json = job_load(dir) };
	if (!ended->json && errno != ENOENT && errno != EINVAL)
		return -1;
	if (job_images(dir, &images) < 0) {
		ended_free(ended);
		return -1;
	}
	count = (json_int_t)images.count;
	if (count == 0 && where != SPOOL_ERROR) /* they were deleted already */
		count = json_integer_value(json_object_get(ended->json, "images"));
	(void)snprintf(ended->images, sizeof(ended->images), "%lld", (long long)count);
	disk_names_free(&images);
	ended->job = jsonfile_text(ended->json, "job");
	if (!*ended->job)
		ended->job = name;
	ended->target = jsonfile_text(ended->json, "target");
	if (!*ended->target)
		ended->target = NULL;
	ended->outcome = outcome(where, ended->target);
	return 0;
}

void ended_free(struct ended *ended)
{
	json_decref(ended->json);
	ended->json = NULL;
}

/* requeued: how often it was sent to the target again by hand; 0 is left out. */
static int write_line(const struct spool *spool, const struct ended *ended, int dir, const char *by,
	const char *again)
{
	int agains = ended->target ? ledger_agains(dir, ended->target) : 0;
	char requeued[24];

	(void)snprintf(requeued, sizeof(requeued), "%d", agains);
	return journal_write(spool, ended->outcome, "job", ended->job, "target", ended->target,
		"by", by, "images", ended->images, "requeued", agains > 0 ? requeued : NULL,
		"again", again, NULL);
}

int ended_say(const struct spool *spool, const struct ended *ended, int dir, const char *by)
{
	if (write_line(spool, ended, dir, by, NULL) < 0)
		return -1;
	(void)told_set(spool, dir); /* else it is written once more */
	return 0;
}

/* Of a quarantine: what lies in it. */
static int tell_files(const struct spool *spool, int dir, const char *label)
{
	struct disk_names names;
	int result = 0;

	if (disk_list(dir, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count && result == 0; i++)
		if (!file_is_ours(FILE_IN_JOB, names.name[i]))
			result = reason_tell_again(spool, label, names.name[i]);
	disk_names_free(&names);
	return result;
}

int ended_tell(const struct spool *spool, const struct ended *ended, int dir)
{
	int told = told_is(dir), written;

	if (told != 0)
		return told < 0 ? -1 : 0;
	written = ended->outcome ? write_line(spool, ended, dir, NULL, "true")
				 : tell_files(spool, dir, ended->job);
	if (written == 0)
		(void)told_set(spool, dir); /* else it may be written once more */
	return written == 0 ? 1 : -1;
}

int ended_deleted(const struct spool *spool, const struct ended *ended)
{
	return journal_write(spool, "deleted", "job", ended->job, "target", ended->target, "from",
		ended->from, "outcome", ended->outcome, "images", ended->images, NULL);
}

static int tell_one(const struct spool *spool, enum spool_dir where, const char *name)
{
	int dir = disk_lock_dir(spool->dir[where], name, LOCK_EX | LOCK_NB), result = -1;
	struct ended ended;

	/* Somebody has it, and tells its line himself; it has gone; or it is nothing of ours. */
	if (dir < 0)
		return errno == EWOULDBLOCK || errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			       ? 0
			       : -1;
	if (ended_load(&ended, dir, where, name) == 0) {
		result = ended_tell(spool, &ended, dir);
		ended_free(&ended);
	}
	if (result > 0 && told_is(dir) <= 0)
		result = told_set(spool, dir) < 0 ? -1 : 1;
	return disk_close(dir, result); /* releases the lock */
}

int ended_tell_at_rest(const struct spool *spool, enum spool_dir where, const char *name)
{
	int result = tell_one(spool, where, name);

	if (result < 0)
		log_error("unable to tell the journal of %s/%s: %s; mend that, then try again",
			spool_name(where), name, strerror(errno));
	return result;
}
