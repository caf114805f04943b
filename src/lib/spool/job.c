#include "spool/job.h"

#include "base/clock.h"
#include "base/jsonfile.h"
#include "base/str.h"
#include "spool/file.h"
#include "spool/plan.h"
#include "spool/series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

size_t job_ahead(const char *name)
{
	size_t length = strlen(name), suffix = strlen(JOB_AHEAD);

	if (job_base(name) == 0 || length <= suffix)
		return 0;
	length -= suffix;
	return strcmp(name + length, JOB_AHEAD) == 0 ? length : 0;
}

enum job_priority job_priority(const char *name)
{
	size_t ahead = job_ahead(name);
	/* disk_rename_unique() puts its number behind ~ */
	size_t length = ahead ? ahead : strcspn(name, "~");

	for (int p = 0; p < JOB_PRIORITIES; p++) {
		size_t n = strlen(suffixes[p]);

		if (n > 0 && length > n && strncmp(name + length - n, suffixes[p], n) == 0)
			return p;
	}
	return JOB_NORMAL;
}

size_t job_base(const char *name)
{
	const char *study = job_study(name);

	if (!study || study[8] != '.' || strspn(study + 9, "0123456789abcdef") < 8)
		return 0;
	return (size_t)(study + 17 - name);
}

size_t job_ended(const char *name)
{
	const char *at = name + job_base(name);

	if (at == name || job_ahead(name))
		return 0;
	for (int p = 0; p < JOB_PRIORITIES; p++) {
		size_t n = strlen(suffixes[p]);

		if (n > 0 && strncmp(at, suffixes[p], n) == 0 && strchr("~.", at[n])) {
			at += n;
			break;
		}
	}
	if (*at == '~') /* disk_rename_unique() */
		at += 1 + strspn(at + 1, "0123456789");
	return *at == '.' && at[1] ? (size_t)(at - name) : 0;
}

int job_images(int job, struct disk_names *out)
{
	size_t kept = 0;

	if (disk_list(job, ".", out) < 0)
		return -1;
	for (size_t i = 0; i < out->count; i++) {
		if (file_is_image(out->name[i]))
			out->name[kept++] = out->name[i];
		else
			free(out->name[i]);
	}
	out->count = kept;
	return 0;
}

void job_count(int job, char out[JOB_COUNT_SIZE])
{
	struct disk_names images;
	bool known = job_images(job, &images) == 0;

	(void)snprintf(out, JOB_COUNT_SIZE, "?");
	if (known)
		(void)snprintf(out, JOB_COUNT_SIZE, "%zu", images.count);
	disk_names_free(&images);
}

void job_measure(int job, struct job_measure *out)
{
	int64_t bytes = 0, last_us = 0, came_us;
	struct disk_names images;
	bool known = job_images(job, &images) == 0;
	struct stat st;

	(void)snprintf(out->images, sizeof(out->images), "?");
	if (known)
		(void)snprintf(out->images, sizeof(out->images), "%zu", images.count);
	for (size_t i = 0; i < images.count; i++) {
		if (fstatat(job, images.name[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* it has been taken away */
		bytes += st.st_size;
		/* Its rename into the batch; it keeps the mtime that it was brought with. */
		came_us = clock_ctime_us(&st);
		last_us = came_us > last_us ? came_us : last_us;
	}
	(void)snprintf(out->bytes, sizeof(out->bytes), "%lld", (long long)bytes);
	*out->last = '\0';
	if (last_us > 0)
		spool_stamp(last_us, out->last, sizeof(out->last));
	disk_names_free(&images);
}

int job_store(
	int job, const char *name, const char *target, const json_t *series, const json_t *plan)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:O?, s:O?, s:O?}", "job", name, "target",
		target, "study", series_tag(series, "StudyInstanceUID"), "series",
		series_tag(series, "SeriesInstanceUID"), "sender", series_sender(series), "rules",
		plan_rules(plan), "images", plan_images(plan));
	int result = jsonfile_store(job, file_name(FILE_JOB), json);

	json_decref(json);
	return result;
}

json_t *job_load(int job)
{
	return jsonfile_load(job, file_name(FILE_JOB));
}

int job_exists(int job)
{
	return file_exists(job, FILE_JOB);
}

int64_t job_entered_us(int job)
{
	struct stat st;

	if (fstatat(job, file_name(FILE_JOB), &st, AT_SYMLINK_NOFOLLOW) < 0 && fstat(job, &st) < 0)
		return -1;
	return (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
}

int job_cancel(int job)
{
	int fd = openat(job, file_name(FILE_CANCELLED),
		O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0660);

	return fd < 0 ? -1 : close(fd);
}

bool job_is_cancelled(int job)
{
	return file_exists(job, FILE_CANCELLED) == 1;
}
