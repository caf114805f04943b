#include "spool/job.h"

#include "spool/spool.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void job_name(
	char *out, size_t size, int64_t time_us, const char *study_uid, const char *series_uid)
{
	char stamp[SPOOL_STAMP_SIZE];

	spool_stamp(time_us, stamp, sizeof(stamp));
	(void)snprintf(out, size, "%s.%08x.%08x", stamp, str_hash(study_uid), str_hash(series_uid));
}

const char *job_study(const char *name)
{
	const char *study;

	if (spool_stamp_time(name) < 0)
		return NULL;
	study = name + strlen("20261122T140301.123456Z");
	if (study[0] != '.' || strspn(study + 1, "0123456789abcdef") < 8)
		return NULL;
	return study + 1;
}

static const char *const suffixes[JOB_PRIORITIES] = { ".urgent", "", ".offpeak" };

const char *job_suffix(enum job_priority priority)
{
	return suffixes[priority];
}

enum job_priority job_priority(const char *name)
{
	size_t length = strcspn(name, "~"); /* disk_rename_unique() puts its number there */

	for (int p = 0; p < JOB_PRIORITIES; p++) {
		size_t n = strlen(suffixes[p]);

		if (n > 0 && length > n && strncmp(name + length - n, suffixes[p], n) == 0)
			return p;
	}
	return JOB_NORMAL;
}

int job_images(int job, struct disk_names *out)
{
	size_t kept = 0;

	if (disk_list(job, ".", out) < 0)
		return -1;
	for (size_t i = 0; i < out->count; i++) {
		if (spool_is_image(out->name[i]))
			out->name[kept++] = out->name[i];
		else
			free(out->name[i]);
	}
	out->count = kept;
	return 0;
}
