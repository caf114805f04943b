/*
 * series: what a path of the command line stands for. Nothing here writes to the spool.
 *
 *   series.c   a job or batch, a single file, or the name of a job
 *   files.c    a directory of DICOM files, or of jobs
 *   find.c     where in the spool a job is
 */
#ifndef SERIES_H
#define SERIES_H

#include <jansson.h>

#include "conf/conf.h"
#include "dicom/dicom.h"
#include "base/disk.h"

struct series {
	const char *path;       /* as the user knows it */
	const char *kind;       /* "a job" ... */
	struct disk_names also; /* other places of the same job */
	int dir;
	struct disk_names images; /* below dir, at least one */
	json_t *json;             /* series.json, what a dropped file would get, or NULL */
	json_t *plan;             /* plan.json, or NULL */
};

/* Tells about one series; returns an exit code. */
typedef int series_tell(const struct conf *conf, const struct series *series);

/* Calls tell for each series that path stands for. Returns the greatest exit code: tell's, or
 * EXIT_TEMPORARY for what could not be read, which is reported. */
int series_each(const struct conf *conf, const char *path, series_tell *tell);

/* The same for the job or batch at path, which may lie in other places as well (also, or NULL).
 * Returns -1 when the directory is none. */
int series_job(const struct conf *conf, const char *path, const struct disk_names *also,
	series_tell *tell);

/* series.json of what is dropped by hand. The caller decrefs. */
json_t *series_dropped(void);

/* The same for the jobs, and the DICOM files, in and below the directory dir, which stays the
 * caller's. */
int series_files(const struct conf *conf, const char *path, int dir, series_tell *tell);

/* The SeriesInstanceUID of the image name in dir, which the caller frees. NULL with *error: why it
 * is no image, or cannot be read now. */
char *series_uid(int dir, const char *name, struct dicom_error *error);

/* The paths of a job in the spool. -1 with errno. */
int series_find(const char *spool, const char *name, struct disk_names *out);

#endif
