/*
 * jobs: the series in success/ and discard/. Only reads.
 */
#ifndef JOBS_H
#define JOBS_H

#include <stddef.h>

/* One directory of a series; those of one series follow each other, since they have the same key:
 * the job's name without priority, target and number, or the whole name when it is not one of ours.
 */
struct job_copy {
	char *key, *path;
};
struct jobs {
	struct job_copy *copy;
	size_t count;
};

/* Dies when the spool cannot be read. */
void jobs_list(struct jobs *jobs, const char *spool);
void jobs_free(struct jobs *jobs);

#endif
