/*
 * again: takes away what a job or a target waits for: retry.json, under the job's lock, and
 * paused.json.
 */
#ifndef AGAIN_H
#define AGAIN_H

#include "spool/queues.h"

enum again {
	AGAIN_DONE,    /* it waits no longer for a time */
	AGAIN_NOTHING, /* it did not */
	AGAIN_SENDING, /* it is being sent */
	AGAIN_GONE,    /* in neither queue */
	AGAIN_BUSY,    /* somebody has its lock for too long */
	AGAIN_FAILED,  /* errno */
};

/* One job. */
enum again again_job(const struct spool *spool, const struct queued *job);

/* The pause of a target. reason, of size bytes: why it was paused. */
enum again again_target(const struct spool *spool, const char *target, char *reason, size_t size);

#endif
