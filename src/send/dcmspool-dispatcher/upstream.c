/*
 * Series that are not in a queue yet. Order of arrival is that of the first image of each series,
 * and a series that began later may be complete sooner: what began before it waits in receiving/,
 * incoming/ or routing/. Each is listed before the next, and all before the queues: what moves on
 * meanwhile is seen twice, never missed.
 */
#include "dispatcher.h"

#include "dicom/dicom.h"
#include "spool/job.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
		time_us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
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

static int look_at_association(struct dispatcher *d, const char *name, int64_t before_us)
{
	int dir = disk_open_dir(d->spool.dir[SPOOL_RECEIVING], name), result, saved;
	struct disk_names files;

	if (dir < 0)
		return passed();
	result = disk_list(dir, ".", &files);
	for (size_t i = 0; i < files.count && result == 0; i++)
		if (files.name[i][0] != '.' && strcmp(files.name[i], "association.json") != 0)
			result = look_at_image(&d->upstream, dir, files.name[i], name, before_us);
	saved = errno;
	disk_names_free(&files);
	(void)close(dir); /* only read */
	errno = saved;
	return result;
}

static int look_at_batch(struct dispatcher *d, const char *name, int64_t before_us)
{
	int dir = disk_open_dir(d->spool.dir[SPOOL_INCOMING], name), result = 0, saved;
	json_t *series;
	const char *study;
	int64_t time_us;

	if (dir < 0)
		return passed();
	/* A job moved back by hand begins anew when it is claimed. */
	if (disk_exists(dir, "job.json") == 0) {
		series = jsonfile_load(dir, "series.json");
		if (!series)
			result = passed();
		study = jsonfile_text(json_object_get(series, "tags"), "StudyInstanceUID");
		time_us = spool_stamp_time(jsonfile_text(series, "received"));
		if (time_us >= 0 && time_us < before_us)
			result = add(&d->upstream, str_hash(study), time_us, SPOOL_INCOMING, name);
		json_decref(series);
	}
	saved = errno;
	(void)close(dir); /* only read */
	errno = saved;
	return result;
}

static int look_at_routed(struct dispatcher *d, const char *name, int64_t before_us)
{
	const char *study = job_study(name);
	int64_t time_us = spool_stamp_time(name);

	if (!study || time_us >= before_us)
		return 0;
	return add(&d->upstream, (uint32_t)strtoul(study, NULL, 16), time_us, SPOOL_ROUTING, name);
}

int upstream_look(struct dispatcher *d, int64_t before_us)
{
	static const struct {
		enum spool_dir where;
		int (*look)(struct dispatcher *d, const char *name, int64_t before_us);
	} stages[] = {
		{ SPOOL_RECEIVING, look_at_association },
		{ SPOOL_INCOMING, look_at_batch },
		{ SPOOL_ROUTING, look_at_routed },
	};
	struct disk_names names;
	int result = 0;

	d->upstream.count = 0;
	for (size_t s = 0; s < sizeof(stages) / sizeof(stages[0]) && result == 0; s++) {
		result = disk_list(d->spool.dir[stages[s].where], ".", &names);
		for (size_t i = 0; i < names.count && result == 0; i++)
			result = stages[s].look(d, names.name[i], before_us);
		if (result < 0)
			log_error("unable to see which series are on their way in %s: %s; what "
				  "goes in "
				  "order waits",
				spool_name(stages[s].where), strerror(errno));
		disk_names_free(&names);
	}
	return result;
}

const struct on_its_way *upstream_before(
	const struct dispatcher *d, uint32_t study, int64_t time_us)
{
	for (size_t i = 0; study && i < d->upstream.count; i++)
		if (d->upstream.series[i].study == study && d->upstream.series[i].time_us < time_us)
			return &d->upstream.series[i];
	return NULL;
}
