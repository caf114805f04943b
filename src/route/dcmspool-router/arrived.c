/*
 * The journal's line of a job that has begun: complete or resent, and which association has brought
 * how many of its images. It is written after the claim: whoever takes over a claimed batch without
 * a plan writes it again, for nobody knows whether it was written.
 */
#include "router.h"

#include "base/jsonfile.h"
#include "base/log.h"
#include "base/str.h"
#include "spool/file.h"
#include "spool/filed.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/series.h"

#include <stdio.h>

/* NULL, which leaves it out, when there is no such tag. */
static const char *tag_or_none(const json_t *series, const char *keyword)
{
	const char *value = series_tag(series, keyword);

	return *value ? value : NULL;
}

/* "a=12,b=3": how many of the images each has brought; none of what came by hand. */
static struct buf associations(int batch, const struct disk_names *images)
{
	json_t *counts = json_object(), *count;
	struct buf text = { 0 };
	struct filed filed;
	const char *name;

	if (filed_load(batch, &filed) < 0)
		filed = (struct filed){ 0 };
	for (size_t i = 0; i < images->count; i++) {
		const struct filed_line *line = filed_find(&filed, images->name[i]);
		const char *by = line ? line->association : "";

		if (*by)
			(void)json_object_set_new(counts, by,
				json_integer(json_integer_value(json_object_get(counts, by)) + 1));
	}
	json_object_foreach (counts, name, count)
		buf_printf(&text, "%s%s=%lld", text.length ? "," : "", name,
			(long long)json_integer_value(count));
	json_decref(counts);
	filed_free(&filed);
	return text;
}

/* Where a resend lay, by its job.json: "<job>.<target>". The caller frees. */
static struct buf origin(int dir)
{
	json_t *json = job_load(dir);
	const char *target = jsonfile_text(json, "target");
	struct buf text = { 0 };

	buf_printf(&text, "%s%s%s", jsonfile_text(json, "job"), *target ? "." : "", target);
	json_decref(json);
	return text;
}

static void tell(struct router *router, const struct claim *claim, const char *from, bool again)
{
	bool resend = job_exists(claim->dir) > 0;
	struct buf by = { 0 }, of = { 0 };
	json_t *series = series_load(claim->dir); /* NULL: without its tags */
	struct disk_names images;
	struct job_measure measure;

	job_measure(claim->dir, &measure);
	if (!resend && job_images(claim->dir, &images) == 0) {
		by = associations(claim->dir, &images);
		disk_names_free(&images);
	}
	if (resend && (!from || job_base(from) == 0))
		of = origin(claim->dir);
	journal_write(&router->spool, resend ? "resent" : "complete", "job", claim->job, "from",
		of.data ? of.data : from, "images", measure.images, "bytes", measure.bytes, "last",
		resend || !*measure.last ? NULL : measure.last, "associations",
		resend    ? NULL
		: by.data ? by.data
			  : "",
		"series", tag_or_none(series, "SeriesInstanceUID"), "study",
		tag_or_none(series, "StudyInstanceUID"), "accession",
		tag_or_none(series, "AccessionNumber"), "again", again ? "true" : NULL, NULL);
	buf_free(&by);
	buf_free(&of);
	json_decref(series);
}

void arrived_tell(struct router *router, const struct claim *claim, const char *from)
{
	tell(router, claim, from, false);
}

void arrived_tell_again(struct router *router, const struct claim *claim)
{
	struct disk_names images = { 0 };

	if (file_exists(claim->dir, FILE_PLAN) != 0)
		return;
	if (file_exists(claim->dir, FILE_FILED) == 1 || job_exists(claim->dir) == 1 ||
		(job_images(claim->dir, &images) == 0 && images.count > 0))
		tell(router, claim, NULL, true);
	disk_names_free(&images);
}
