#define _GNU_SOURCE /* realpath */
#include "series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/job.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/str.h"
#include "spool/file.h"
#include "spool/plan.h"
#include "spool/series.h"

static int unreadable(const char *path, const char *reason)
{
	log_error("unable to read %s: %s", path, reason);
	return EXIT_TEMPORARY;
}

/* A file that is missing or damaged is none. -1 with errno: it cannot be read now. */
static int load_both(struct series *series)
{
	series->json = series_load(series->dir);
	if (!series->json && errno != ENOENT && errno != EINVAL)
		return -1;
	series->plan = plan_load(series->dir);
	return series->plan || errno == ENOENT || errno == EINVAL ? 0 : -1;
}

static void series_free(struct series *series)
{
	disk_names_free(&series->images);
	json_decref(series->json);
	json_decref(series->plan);
}

/* As dcmspool-association -r, which the router starts for them, tells it to getdcmtags. */
json_t *series_dropped(void)
{
	return json_pack("{s:{s:s, s:s, s:s}}", "tags", "SenderAddress", "local", "SenderAET", "",
		"ReceiverAET", "");
}

/* What a job and what a batch has; NULL: neither. -1 with errno. */
static int directory_kind(int dir, const char **kind)
{
	int job = job_exists(dir), plan = file_exists(dir, FILE_PLAN), series = series_exists(dir);

	*kind = job > 0 || plan > 0 ? "a job" : series > 0 ? "a batch" : NULL;
	return job < 0 || plan < 0 || series < 0 ? -1 : 0;
}

static int tell_job(const struct conf *conf, struct series *series, series_tell *tell)
{
	int code;

	if (load_both(series) < 0 || job_images(series->dir, &series->images) < 0)
		code = unreadable(series->path, strerror(errno));
	else if (series->images.count == 0)
		code = unreadable(series->path, "there is no image in it");
	else
		code = tell(conf, series);
	series_free(series);
	return code;
}

int series_job(
	const struct conf *conf, const char *path, const struct disk_names *also, series_tell *tell)
{
	struct series series = { .path = path };
	int code;

	if (also)
		series.also = *also;
	series.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (series.dir < 0)
		return unreadable(path, strerror(errno));
	if (directory_kind(series.dir, &series.kind) < 0)
		code = unreadable(path, strerror(errno));
	else
		code = series.kind ? tell_job(conf, &series, tell) : -1;
	(void)close(series.dir); /* only read */
	return code;
}

static int tell_directory(
	const struct conf *conf, const char *path, const struct disk_names *also, series_tell *tell)
{
	int code = series_job(conf, path, also, tell), dir;

	if (code >= 0)
		return code;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return unreadable(path, strerror(errno));
	code = series_files(conf, path, dir, tell);
	(void)close(dir); /* only read */
	return code;
}

/* The image name in series->dir. */
static int tell_image(
	const struct conf *conf, struct series *series, const char *name, series_tell *tell)
{
	struct dicom_error error;
	char *uid = series_uid(series->dir, name, &error);
	int code = EXIT_TEMPORARY;

	if (!uid)
		log_error("unable to read %s: %s%s", series->path,
			error.number ? "" : "it is no DICOM image: ", error.text);
	else if (load_both(series) < 0 || disk_names_add(&series->images, name) < 0)
		code = unreadable(series->path, strerror(errno));
	else if (!series->json && !(series->json = series_dropped()))
		code = unreadable(series->path, "out of memory");
	else
		code = tell(conf, series);
	free(uid);
	series_free(series);
	return code;
}

static int tell_file(const struct conf *conf, const char *path, series_tell *tell)
{
	struct series series = { .path = path, .kind = "a file" };
	char *real = realpath(path, NULL), *slash;
	int code;

	if (!real)
		return unreadable(path, strerror(errno));
	slash = strrchr(real, '/');
	*slash = '\0';
	series.dir = open(*real ? real : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	code = series.dir < 0 ? unreadable(path, strerror(errno))
			      : tell_image(conf, &series, slash + 1, tell);
	if (series.dir >= 0)
		(void)close(series.dir); /* only read */
	free(real);
	return code;
}

static size_t images_in(const char *path)
{
	int dir = disk_open_dir(AT_FDCWD, path);
	struct disk_names images;
	size_t count = 0;

	if (dir < 0)
		return 0;
	if (job_images(dir, &images) == 0) {
		count = images.count;
		disk_names_free(&images);
	}
	(void)close(dir); /* only read */
	return count;
}

/* A job by its name. What went to several targets is the same series; images that one of them
 * refused may be missing in a copy, so the greatest one counts. */
static int tell_named(const struct conf *conf, const char *name, series_tell *tell)
{
	struct disk_names found;
	size_t best = 0, most = 0;
	char *path;
	int code;

	if (series_find(conf->spool, name, &found) < 0)
		return unreadable(conf->spool, strerror(errno));
	if (found.count == 0) {
		log_error("unable to find %s: no such file, and no such job in %s", name,
			conf->spool);
		return EXIT_TEMPORARY;
	}
	for (size_t i = 0; i < found.count; i++) {
		size_t images = images_in(found.name[i]);

		if (images > most) {
			most = images;
			best = i;
		}
	}
	path = found.name[best]; /* the others stay in found */
	found.count--;
	memmove(&found.name[best], &found.name[best + 1],
		(found.count - best) * sizeof(*found.name));
	code = tell_directory(conf, path, &found, tell);
	free(path);
	disk_names_free(&found);
	return code;
}

int series_each(const struct conf *conf, const char *path, series_tell *tell)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? tell_directory(conf, path, NULL, tell)
					   : tell_file(conf, path, tell);
	if (errno != ENOENT || !name_ok(path)) {
		log_error("unable to find %s: %s", path, strerror(errno));
		return EXIT_TEMPORARY;
	}
	return tell_named(conf, path, tell);
}
