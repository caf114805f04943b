#include "ended.h"

#include "base/jsonfile.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/told.h"

#include <errno.h>
#include <stdio.h>

/* In discard/ a job with a target was taken from its queue; without, no rule wanted it. */
static const char *outcome(enum spool_dir where, const char *target)
{
	if (where == SPOOL_SUCCESS)
		return "sent";
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
	if (count == 0) /* they were deleted already */
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

int ended_tell(const struct spool *spool, const struct ended *ended, int dir)
{
	int told = told_is(dir), written;

	if (told != 0)
		return told < 0 ? -1 : 0;
	written = journal_write(spool, ended->outcome, "job", ended->job, "target", ended->target,
		"images", ended->images, "again", "true", NULL);
	if (written == 0)
		(void)told_set(dir); /* else it may be written once more */
	return written;
}

int ended_deleted(const struct spool *spool, const struct ended *ended)
{
	return journal_write(spool, "deleted", "job", ended->job, "target", ended->target, "from",
		ended->from, "outcome", ended->outcome, "images", ended->images, NULL);
}
