/*
 * newjob: a job that an operator makes for one target, without the rules. It is built as
 * outgoing/<target>/.new.<job>/, which means nothing, and committed by one rename. STATES.md 6.
 *
 * Its directory is locked until it is abandoned or committed; one that is found unlocked was left
 * by a crash, has copies or links only, and is removed by the next one that makes a job there.
 */
#ifndef SPOOL_NEWJOB_H
#define SPOOL_NEWJOB_H

#include <jansson.h>

#include "spool/job.h"
#include "spool/spool.h"

struct newjob {
	const struct spool *spool;
	const char *target;
	int queue, dir;           /* dir: where its images are to be put */
	bool copied;              /* set it when some of them are copies, not links */
	char name[JOB_NAME_SIZE]; /* the job's */
	char building[JOB_NAME_SIZE + 8];
	struct job_measure measure; /* since newjob_commit() */
};

/* Removes what crashes have left in a target's queue, as far as it can be; once, at the beginning.
 */
void newjob_clear(const struct spool *spool, const char *target);

/* The target's queue is made when needed. -1 with errno. */
int newjob_begin(struct newjob *job, const struct spool *spool, const char *target,
	const char *study_uid, const char *series_uid);
/* The images are there; series: of series.json, which is written unless it is there, too. Writes
 * all of it to disk and renames. -1 with errno: then it is to be abandoned. */
int newjob_commit(struct newjob *job, const json_t *series, const json_t *plan);
void newjob_abandon(struct newjob *job);

#endif
