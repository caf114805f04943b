/*
 * ended: what became of a job that has come to rest in success/, discard/ or error/, as the journal
 * tells it.
 */
#ifndef SPOOL_ENDED_H
#define SPOOL_ENDED_H

#include <jansson.h>

#include "spool/spool.h"

struct ended {
	const char *outcome; /* the event that told it; NULL: a quarantine, each file has a line */
	const char *job;     /* the name of its directory when job.json says none */
	const char *target;  /* NULL: none */
	const char *from;    /* of which directory */
	char images[24];     /* how many are in it, or were when its job.json was written */
	json_t *json;        /* owns the texts */
};

/* The job in the open directory dir, which is name in where; name must outlive it. -1 with errno.
 * ended_free() frees. */
int ended_load(struct ended *ended, int dir, enum spool_dir where, const char *name);
void ended_free(struct ended *ended);

/* Writes the line of its end and marks that: dir is the directory at rest. by: who asked for it,
 * NULL when nobody did. Returns 0, or -1 with errno: the line is not there, and is written again
 * some time. */
int ended_say(const struct spool *spool, const struct ended *ended, int dir, const char *by);

/* Makes sure that the journal has it: without .told it is written again; of a quarantine a line for
 * each file. 1: it was written, 0: there was no need; -1 with errno: it has not, or it cannot be
 * known. */
int ended_tell(const struct spool *spool, const struct ended *ended, int dir);
/* Writes that it was deleted. Returns 0, or -1 with errno. */
int ended_deleted(const struct spool *spool, const struct ended *ended);

/* ended_tell() of name in where, unless somebody has its lock, and tells its line himself. 1, 0 as
 * above; -1 after having said why: the line or .told is missing. */
int ended_tell_at_rest(const struct spool *spool, enum spool_dir where, const char *name);

#endif
