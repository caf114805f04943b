#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/series.h"

#include <errno.h>
#include <unistd.h>

/* The time in a job's name: that of the batch's first image. A job moved back by hand is a new job.
 */
static int64_t job_time(const json_t *series, bool resend)
{
	int64_t time_us = resend ? -1 : series_received_us(series);

	return time_us < 0 ? clock_now_us() : time_us;
}

int claim_batch(struct router *router, int dir, const char *name, struct claim *claim)
{
	json_t *series = series_load(dir);
	int resend, result = -1;
	int64_t time_us;

	disk_let_write(dir);
	/* Missing or damaged: plan.c reads an image instead. Anything else may pass. */
	if (!series && errno != ENOENT && errno != EINVAL)
		return -1;
	resend = job_exists(dir);
	if (resend < 0)
		goto out;
	time_us = job_time(series, resend);
	/* A plan of before must not be found in routing/, where a crash would have it followed. */
	if (file_remove(dir, FILE_PLAN) < 0 && errno != EISDIR)
		goto out; /* a directory of that name is no plan, and is quarantined by route() */
	do {
		job_name(claim->job, sizeof(claim->job), time_us++,
			series_tag(series, "StudyInstanceUID"),
			series_tag(series, "SeriesInstanceUID"));
		result = disk_rename(router->spool.dir[SPOOL_INCOMING], name,
			router->spool.dir[SPOOL_ROUTING], claim->job);
	} while (result < 0 && errno == EEXIST);
	if (result < 0)
		goto out;
	claim->dir = dir;
	claim->plan = NULL;
	known_forget(router, name);
	log_info("%s job=%s from=incoming/%s", resend ? "resend" : "series complete", claim->job,
		name);
	arrived_tell(router, claim, name);
out:
	json_decref(series);
	return result;
}
