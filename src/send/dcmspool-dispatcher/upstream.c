/*
 * Each stage is listed before the next, and all before the queues: what moves on meanwhile is seen
 * twice, never missed.
 */
#include "upstream.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/str.h"
#include "base/watch.h"
#include "dicom/dicom.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/series.h"
#include "spool/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static int add(struct upstream *up, uint32_t study, int64_t time_us, enum spool_dir where,
	const char *name)
{
	struct on_its_way *more, *one;

	if ((up->count & (up->count - 1)) == 0) { /* full at each power of two */
		more = realloc(up->series, (up->count ? up->count * 2 : 1) * sizeof(*more));
		if (!more)
			return -1;
		up->series = more;
	}
	one = &up->series[up->count++];
	one->study = study;
	one->time_us = time_us;
	(void)snprintf(one->path, sizeof(one->path), "%s/%s", spool_name(where), name);
	return 0;
}

/* Something that cannot be read because we lack something may be an earlier series; anything else
 * keeps nobody waiting. */
static int passed(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -1 : 0;
}

/* An image that getdcmtags has not filed: its study is in its header, which storescp wrote first.
 */
static int look_at_image(
	struct upstream *up, int association, const char *name, const char *path, int64_t before_us)
{
	int fd = openat(association, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK),
	    result = 0;
	struct dicom_header header = { 0 };
	struct dicom_error error;
	const char *study;
	struct stat st;
	int64_t time_us;
	int saved;

	if (fd < 0)
		return passed();
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		time_us = clock_mtime_us(&st);
		if (time_us < before_us) {
			/* What is cut off has the values that were read so far. */
			(void)dicom_read_header(fd, &header, &error);
			study = dicom_get(&header, "StudyInstanceUID");
			if (*study)
				result = add(up, str_hash(study), time_us, SPOOL_RECEIVING, path);
			dicom_header_free(&header);
		}
	}
	saved = errno;
	(void)close(fd); /* only read */
	errno = saved;
	return result;
}

static int look_at_association(struct upstream *up, int stage, const char *name, int64_t before_us)
{
	int dir = disk_open_dir(stage, name), result, saved;
	struct disk_names files;

	if (dir < 0)
		return passed();
	result = disk_list(dir, ".", &files);
	for (size_t i = 0; i < files.count && result == 0; i++)
		if (files.name[i][0] != '.' && !file_is_ours(FILE_IN_ASSOCIATION, files.name[i]))
			result = look_at_image(up, dir, files.name[i], name, before_us);
	saved = errno;
	disk_names_free(&files);
	(void)close(dir); /* only read */
	errno = saved;
	return result;
}

static int look_at_batch(struct upstream *up, int stage, const char *name, int64_t before_us)
{
	int dir = disk_open_dir(stage, name), result = 0, saved;
	json_t *series;
	int64_t time_us;

	if (dir < 0)
		return passed();
	/* A job moved back by hand begins anew when it is claimed. */
	if (job_exists(dir) == 0) {
		series = series_load(dir);
		if (!series)
			result = passed();
		time_us = series_received_us(series);
		if (time_us >= 0 && time_us < before_us)
			result = add(up, str_hash(series_tag(series, "StudyInstanceUID")), time_us,
				SPOOL_INCOMING, name);
		json_decref(series);
	}
	saved = errno;
	(void)close(dir); /* only read */
	errno = saved;
	return result;
}

static int look_at_job(struct upstream *up, int stage, const char *name, int64_t before_us)
{
	const char *study = job_study(name);
	int64_t time_us = spool_stamp_time(name);

	(void)stage; /* its name says it all */
	if (!study || time_us >= before_us)
		return 0;
	return add(up, (uint32_t)strtoul(study, NULL, 16), time_us, SPOOL_ROUTING, name);
}

/* How to look at what a stage holds. */
typedef int look_at(struct upstream *up, int stage, const char *name, int64_t before_us);
static look_at *const look_at_what[] = {
	[STAGE_ASSOCIATIONS] = look_at_association,
	[STAGE_BATCHES] = look_at_batch,
	[STAGE_JOBS] = look_at_job,
};

static int look_at_stage(
	struct upstream *up, const struct spool *spool, enum spool_dir stage, int64_t before_us)
{
	look_at *look = look_at_what[spool_stage[stage].holds];
	struct disk_names names;
	int result = disk_list(spool->dir[stage], ".", &names);

	for (size_t i = 0; i < names.count && result == 0; i++)
		result = look(up, spool->dir[stage], names.name[i], before_us);
	if (result < 0)
		log_error("unable to see which series are on their way in %s: %s; what goes in "
			  "order waits",
			spool_name(stage), strerror(errno));
	disk_names_free(&names);
	return result;
}

int upstream_look(struct upstream *up, const struct spool *spool, int64_t before_us)
{
	int result = 0;

	up->count = 0;
	up->before_us = before_us;
	for (enum spool_dir s = SPOOL_ROOT; before_us > 0 && result == 0 && s < SPOOL_DIRS; s++)
		if (spool_stage[s].before_queue)
			result = look_at_stage(up, spool, s, before_us);
	up->unknown = result < 0;
	return result;
}

int upstream_watch(void)
{
	char path[300];
	int result = 0;

	for (enum spool_dir s = SPOOL_ROOT; result == 0 && s < SPOOL_DIRS; s++) {
		if (!spool_stage[s].before_queue)
			continue;
		(void)snprintf(path, sizeof(path), "%s/", spool_name(s));
		result = watch_keep(path, IN_DELETE | IN_MOVED_FROM);
	}
	return result;
}

const struct on_its_way *upstream_before(const struct upstream *up, uint32_t study, int64_t time_us)
{
	for (size_t i = 0; study && i < up->count; i++)
		if (up->series[i].study == study && up->series[i].time_us < time_us)
			return &up->series[i];
	return NULL;
}
