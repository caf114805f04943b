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

/* An image may be a little older than the clock says when it is written: the kernel's clock of
 * files steps by up to 10 ms. */
enum { STEP_US = 100000 };

static int add(struct upstream *up, uint32_t study, int64_t time_us, enum spool_dir where,
	const char *name)
{
	struct on_its_way *more, *one;

	if (up->count == up->room) {
		more = realloc(up->series, (up->room * 2 + 1) * sizeof(*more));
		if (!more)
			return -1;
		up->series = more;
		up->room = up->room * 2 + 1;
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
static int look_at_image(struct upstream *up, int association, const char *name, const char *path)
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
		if (time_us < up->before_us) { /* no other is asked for */
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

static int look_at_association(struct upstream *up, int stage, const char *name)
{
	int dir = disk_open_dir(stage, name), result, saved;
	struct disk_names files;

	if (dir < 0)
		return passed();
	result = disk_list(dir, ".", &files);
	for (size_t i = 0; i < files.count && result == 0; i++)
		if (files.name[i][0] != '.' && !file_is_ours(FILE_IN_ASSOCIATION, files.name[i]))
			result = look_at_image(up, dir, files.name[i], name);
	saved = errno;
	disk_names_free(&files);
	(void)close(dir); /* only read */
	errno = saved;
	return result;
}

/* The study and time of the first image of a batch, study 0: it is none, or waits for nobody to be
 * named. -1 with errno. */
static int read_batch(int stage, struct known_batch *batch)
{
	int dir = disk_open_dir(stage, batch->name), result = 0, saved;
	json_t *series;

	if (dir < 0)
		return passed();
	/* A job moved back by hand begins anew when it is claimed. */
	if (job_exists(dir) == 0) {
		series = series_load(dir);
		if (!series)
			result = passed();
		batch->time_us = series_received_us(series);
		if (batch->time_us >= 0)
			batch->study = str_hash(series_tag(series, "StudyInstanceUID"));
		json_decref(series);
	}
	saved = errno;
	(void)close(dir); /* only read */
	errno = saved;
	return result;
}

/* Finds out about one of incoming/, if that was not done in an earlier look. */
static int look_at_batch(
	struct upstream *up, int stage, const struct known_batch *known, struct known_batch *batch)
{
	struct stat st;

	if (fstatat(stage, batch->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return passed();
	batch->inode = st.st_ino;
	if (known && known->inode == st.st_ino && known->study != 0) {
		batch->study = known->study;
		batch->time_us = known->time_us;
	} else if (S_ISDIR(st.st_mode) && read_batch(stage, batch) < 0) {
		return -1;
	}
	if (batch->study == 0)
		return 0;
	return add(up, batch->study, batch->time_us, SPOOL_INCOMING, batch->name);
}

static void forget_batches(struct upstream *up)
{
	for (size_t i = 0; i < up->batches; i++)
		free(up->batch[i].name);
	free(up->batch);
}

/* Both are sorted: each name is looked for from where the one before it was. */
static int look_at_batches(struct upstream *up, int stage, struct disk_names *names)
{
	struct known_batch *now = calloc(names->count + 1, sizeof(*now));
	size_t k = 0, n = 0;
	int result = now ? 0 : -1;

	for (size_t i = 0; i < names->count && result == 0; i++) {
		const struct known_batch *known = NULL;
		int order = 1;

		while (k < up->batches && (order = strcmp(up->batch[k].name, names->name[i])) < 0)
			k++;
		if (k < up->batches && order == 0)
			known = &up->batch[k];
		now[n].name = names->name[i];
		names->name[i] = NULL; /* free(3) takes that */
		result = look_at_batch(up, stage, known, &now[n++]);
	}
	forget_batches(up);
	up->batch = now;
	up->batches = n;
	return result;
}

static int look_at_job(struct upstream *up, const char *name)
{
	const char *study = job_study(name);

	return study ? add(up, (uint32_t)strtoul(study, NULL, 16), spool_stamp_time(name),
			       SPOOL_ROUTING, name)
		     : 0; /* its name says it all */
}

static int look_at_stage(struct upstream *up, const struct spool *spool, enum spool_dir stage)
{
	enum stage_holds holds = spool_stage[stage].holds;
	int dir = spool->dir[stage], result;
	struct disk_names names;

	result = disk_list(dir, ".", &names);
	if (result == 0 && holds == STAGE_BATCHES)
		result = look_at_batches(up, dir, &names);
	for (size_t i = 0; holds != STAGE_BATCHES && i < names.count && result == 0; i++)
		result = holds == STAGE_JOBS ? look_at_job(up, names.name[i])
					     : look_at_association(up, dir, names.name[i]);
	if (result < 0)
		log_error("unable to see which series are on their way in %s: %s; what goes in "
			  "order waits",
			spool_name(stage), strerror(errno));
	disk_names_free(&names);
	return result;
}

static int by_study(const void *a, const void *b)
{
	const struct on_its_way *left = a, *right = b;

	if (left->study != right->study)
		return left->study < right->study ? -1 : 1;
	return (left->time_us > right->time_us) - (left->time_us < right->time_us);
}

int upstream_look(struct upstream *up, const struct spool *spool)
{
	int64_t settled_us = clock_now_us() - STEP_US;
	int result = 0;

	up->looked_us = clock_now_us();
	up->before_us = up->wanted_us > settled_us ? up->wanted_us : settled_us;
	up->lasting_us = settled_us;
	up->wanted_us = 0;
	up->is_fresh = true;
	up->count = 0;
	for (enum spool_dir s = SPOOL_ROOT; result == 0 && s < SPOOL_DIRS; s++)
		if (spool_stage[s].before_queue)
			result = look_at_stage(up, spool, s);
	if (up->count > 1)
		qsort(up->series, up->count, sizeof(*up->series), by_study);
	up->unknown = result < 0;
	return result;
}

enum upstream_answer upstream_has(struct upstream *up, uint32_t study, int64_t time_us)
{
	bool covers = time_us <= (up->is_fresh ? up->before_us : up->lasting_us);
	bool some = up->unknown || upstream_before(up, study, time_us);

	if (up->is_fresh && covers)
		return some ? UPSTREAM_SOME : UPSTREAM_NONE;
	if (!up->is_fresh && covers && !some && clock_now_us() >= up->looked_us)
		return UPSTREAM_NONE;
	if (!up->is_fresh && time_us > up->wanted_us)
		up->wanted_us = time_us;
	return UPSTREAM_ASK;
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
	size_t low = 0, high = up->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (up->series[middle].study < study)
			low = middle + 1;
		else
			high = middle;
	}
	if (study == 0 || low == up->count || up->series[low].study != study ||
		up->series[low].time_us >= time_us)
		return NULL;
	return &up->series[low];
}
