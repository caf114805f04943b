/*
 * take: takes one job from its target, whatever the dispatchers do with it meanwhile.
 *
 * Under the lock of outgoing/<target> no dispatcher claims a job. So a job that is not in sending/
 * then is in outgoing/, or nowhere. From outgoing/ one rename under both locks brings it to
 * discard/. In sending/ the file `cancelled` asks its dispatcher to do that; if it puts the job
 * back into outgoing/ instead, because it had looked for the file just before, we begin anew. The
 * file stays in the job all the way: whoever is killed, the next dispatcher that claims it discards
 * it.
 */
#ifndef TAKE_H
#define TAKE_H

#include "spool/queues.h"

enum taken {
	TAKEN_DISCARDED, /* it lies in discard/ */
	TAKEN_ASKED,     /* its dispatcher has not stopped yet */
	TAKEN_ORPHAN,    /* asked, but its dispatcher is dead: the next one will discard it */
	TAKEN_AHEAD,     /* its series is still being received: asked for when it is complete */
	TAKEN_PARTLY,    /* it waits and is asked for: a part of it may lie in error/ already */
	TAKEN_SENT,      /* too late: it is in success/ */
	TAKEN_GIVEN_UP,  /* too late: it is in error/ */
	TAKEN_GONE,      /* in neither queue */
	TAKEN_BUSY,      /* somebody has a lock for too long */
	TAKEN_FAILED,    /* errno */
};

/* path, of size bytes: where it lies now, if it is known. by: who asked, for the journal. */
enum taken take(const struct spool *spool, const struct queued *job, const char *by, char *path,
	size_t size);

#endif
