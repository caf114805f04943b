#include "resend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/newjob.h"
#include "spool/plan.h"
#include "spool/series.h"
#include "spool/share.h"

static int failed(const struct item *item, const char *target)
{
	log_error("unable to make a job for %s of %s: %s; nothing was changed", target, item->name,
		strerror(errno));
	return EXIT_TEMPORARY;
}

static int share(struct newjob *job, int from, const char *name)
{
	int result = share_file(from, job->dir, name);

	job->copied |= result > 0;
	/* What has moved on is missing: that it is fewer images is told. */
	return result < 0 && errno != ENOENT ? -1 : 0;
}

static int share_files(struct newjob *job, int from)
{
	struct disk_names images;
	int result = job_images(from, &images);

	if (result == 0)
		result = share(job, from, file_name(FILE_SERIES));
	for (size_t i = 0; i < images.count && result == 0; i++)
		result = share(job, from, images.name[i]);
	disk_names_free(&images);
	return result;
}

/* Images of the same name in two places of a series are the same: what was refused lies in error/,
 * the rest in success/. */
static int gather(struct newjob *job, const struct item *item)
{
	int result = share_begin(job->dir), from;

	for (size_t i = 0; i < item->count && result == 0; i++) {
		if (!item->place[i].meant)
			continue;
		from = place_open(job->spool, &item->place[i]);
		if (from < 0)
			return -1;
		result = share_files(job, from);
		(void)close(from); /* only read */
	}
	return result;
}

static void tell(const struct verb *verb, const struct newjob *job, const struct item *item,
	const json_t *series, size_t count)
{
	journal_write(&verb->spool, "resent", "job", job->name, "from", item->name, "target",
		job->target, "images", job->measure.images, "bytes", job->measure.bytes, "series",
		series_tag(series, "SeriesInstanceUID"), "study",
		series_tag(series, "StudyInstanceUID"), "accession",
		series_tag(series, "AccessionNumber"), "by", verb->by, NULL);
	(void)printf("%s: is sent again to %s, %zu image%s, as %s\n", item->name, job->target,
		count, count == 1 ? "" : "s", job->name);
}

/* The image whose tags the rules saw, if it is among them. */
static const char *first_of(const json_t *plan, const struct disk_names *images)
{
	for (size_t i = 0; i < images->count; i++)
		if (strcmp(images->name[i], plan_first(plan)) == 0)
			return images->name[i];
	return images->name[0];
}

static int commit(struct newjob *job, const json_t *series, const json_t *old, size_t *count)
{
	struct disk_names images;
	json_t *plan = NULL;
	int result = -1, saved;

	if (job_images(job->dir, &images) < 0)
		return -1;
	*count = images.count;
	errno = ENOENT; /* none is left of them */
	if (images.count > 0 &&
		(plan = plan_again(old, job->name, images.count, first_of(old, &images))) &&
		plan_add_target(plan, job->target, JOB_NORMAL) == 0)
		result = newjob_commit(job, series, plan);
	saved = errno;
	json_decref(plan);
	disk_names_free(&images);
	errno = saved;
	return result;
}

int resend_to(const struct verb *verb, struct item *item, const char *target, struct await *await)
{
	const struct spool *spool = &verb->spool;
	const json_t *series = item_series(spool, item);
	struct newjob job;
	size_t count;
	int code = 0;

	if (newjob_begin(&job, spool, target, series_tag(series, "StudyInstanceUID"),
		    series_tag(series, "SeriesInstanceUID")) == 0 &&
		gather(&job, item) == 0 &&
		commit(&job, series, item_plan(spool, item), &count) == 0) {
		await_add(await, job.name);
		tell(verb, &job, item, series, count);
	} else {
		code = failed(item, target);
		newjob_abandon(&job);
	}
	return code;
}

static bool is_at(const struct item *item, const char *target)
{
	for (size_t i = 0; i < item->count; i++)
		if ((item->place[i].state == PLACE_WAITING ||
			    item->place[i].state == PLACE_SENDING) &&
			strcmp(item->place[i].target, target) == 0)
			return true;
	return false;
}

const char *resend_waits(
	const struct spool *spool, struct walk *all, const struct item *item, const char *target)
{
	for (size_t i = 0; i < all->count; i++) {
		struct item *other = &all->item[i];

		if (is_at(other, target) &&
			(strcmp(other->name, item->name) == 0 ||
				strcmp(jsonfile_text(item_plan(spool, other), "from"),
					item->name) == 0))
			return other->name;
	}
	return NULL;
}
