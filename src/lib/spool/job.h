/*
 * job: what a job directory holds, and the names of jobs. STATES.md 5.
 */
#ifndef JOB_H
#define JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"
#include "spool/spool.h"

enum { JOB_NAME_SIZE = 96 };

/* Urgent jobs go before normal ones, these before offpeak ones. */
enum job_priority { JOB_URGENT, JOB_NORMAL, JOB_OFFPEAK, JOB_PRIORITIES };

/* "<stamp>.<8 hex of the study's UID>.<8 hex of the series' UID>". */
void job_name(
	char *out, size_t size, int64_t time_us, const char *study_uid, const char *series_uid);

/* The study's 8 hex digits in a job's name, or NULL when the name is not one of ours. Points into
 * name; not NUL-terminated. */
const char *job_study(const char *name);

/* The priority in a job's name: it ends with ".urgent" or ".offpeak" (and perhaps "~2"), or is
 * normal. */
enum job_priority job_priority(const char *name);
/* ".urgent", "" or ".offpeak". */
const char *job_suffix(enum job_priority priority);

/* The length of "<time>.<study>.<series>" at the beginning of a name; 0: it is none of ours. */
size_t job_base(const char *name);

/* A job that came to rest was renamed "<job>.<target>": the length of <job> in such a name, or 0
 * for any other, which is a job's own (with its priority, and "~2") or none of ours. */
size_t job_ended(const char *name);

/* "<job>.ahead", what is sent of a job that is still a batch (STATES.md 5a): the length of <job>,
 * or 0 for any other name. */
#define JOB_AHEAD ".ahead"
size_t job_ahead(const char *name);

/* The names of the images in a job's or batch's directory, sorted. */
int job_images(int job, struct disk_names *out);

/* How many, as text, "?" when that cannot be known now. */
enum { JOB_COUNT_SIZE = 24 };
void job_count(int job, char out[JOB_COUNT_SIZE]);
/* The same, and their bytes and when the last of them came: a stamp, "" when there is none. */
struct job_measure {
	char images[JOB_COUNT_SIZE], bytes[JOB_COUNT_SIZE], last[SPOOL_STAMP_SIZE];
};
void job_measure(int job, struct job_measure *out);

/* job.json, made by the router for one target ("" for none). name: with the priority for that
 * target. series: of series.json, or NULL. -1 with errno. */
int job_store(
	int job, const char *name, const char *target, const json_t *series, const json_t *plan);
/* The object of the file, which the caller decrefs; NULL with errno, EINVAL: it is damaged. */
json_t *job_load(int job);
/* Is there one? A batch that has it is a job moved back by hand. 1, 0, or -1 with errno. */
int job_exists(int job);
/* When the job came into its queue, microseconds since 1970: job.json is written just before, and
 * never again. -1 with errno. */
int64_t job_entered_us(int job);

/* cancelled: asks the job's dispatcher to stop after the image it is at. -1 with errno. */
int job_cancel(int job);
bool job_is_cancelled(int job);

#endif
