/*
 * job: what a job directory holds, and the names of jobs. STATES.md 5.
 */
#ifndef JOB_H
#define JOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"

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

/* The names of the images in a job's or batch's directory, sorted. */
int job_images(int job, struct disk_names *out);

#endif
