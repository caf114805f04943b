/*
 * children: the processes of associations, one for each connection, which is forked, and one for
 * each dead association in receiving/ that is being recovered, which is a dcmspool-association -r.
 *
 * They survive a kill -9 of the receiver: a connection is lost only with its own process.
 */
#ifndef CHILDREN_H
#define CHILDREN_H

#include "conf/conf.h"
#include "receive/parked.h"
#include "spool/spool.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	char *recovers; /* the name in receiving/, or NULL */
	bool waits;     /* for the lock of an association that is alive: does no work yet */
};

struct children {
	const struct conf *conf;
	const struct spool *spool;
	char *program; /* of recoveries */
	struct child *child;
	size_t count, max; /* max: of connections and recoveries together */
	size_t connections, max_connections;
	char *last; /* the last recovery started: the next one is that of the name after it, so that
		     * some that fail again and again do not keep others from their turn */
};

/* Room for max_associations and those that are about to be refused. Dies when out of memory. */
void children_open(struct children *children, const struct conf *conf, const struct spool *spool);

bool children_full(const struct children *children);

/* Starts one for a connection; the caller closes its copy. command: of the storescp that waits, -1:
 * none does. -1 with errno. */
int children_serve(struct children *children, int connection, int command);

/* Looks at receiving/ and starts a recovery for each directory whose lock is free, at most 4 at
 * once; and for those whose lock is held, but not by an association of ours that is alive: their
 * recoveries wait for the lock. These are associations of a receiver that was killed, and those
 * whose children are still dying. Returns whether any is left for later. */
bool children_recover(struct children *children);

/* What has ended. */
struct reaped {
	int lost; /* connections otherwise than with exit 0: there may be something to recover */
	int recovered; /* recoveries with exit 0 */
	int failed;    /* recoveries otherwise */
};
struct reaped children_reap(struct children *children, struct parked *parked);

/* Leaves to service_again() which there are: children_open() knows them then. */
void children_leave(const struct children *children);

/* Tells all to end. */
void children_stop(struct children *children);

#endif
