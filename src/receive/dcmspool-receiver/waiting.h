/*
 * waiting: connections whose request is not there yet. They have neither a process nor a place
 * among max_associations: they are peeked at (dicom/network/peek.h) until the request is whole.
 *
 * There are at most WAITING_MAX. For one more, the one that has said nothing for longest is let go:
 * of the newcomer's own address, when that has WAITING_OF_PEER or more, else of all. Who wants to
 * send has sent his request within a round trip, so only so many callers within this time could
 * keep him out. As long as there is room nobody is let go before his time: who calls again at once
 * would only cost more.
 */
#ifndef WAITING_H
#define WAITING_H

#include "dicom/network/caller.h"
#include "dicom/network/peek.h"
#include "receive/request.h"
#include "spool/spool.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WAITING_MAX = REQUEST_SILENT_MAX, WAITING_OF_PEER = REQUEST_SILENT_OF_PEER };

struct waiting_one {
	int fd;
	bool ready;      /* for a process: there is a request, or something to be told about it */
	int64_t late_ms; /* CLOCK_MONOTONIC */
	struct peeked peeked;
	struct caller caller;
};

struct waiting {
	const struct spool *spool;
	long timeout_s;
	struct waiting_one one[WAITING_MAX]; /* in the order of arrival */
	size_t count, ready;
	int64_t told_ms; /* of refusals: the second that told counts in */
	unsigned int told, untold;
};

/* With those that waiting_leave() has left. */
void waiting_open(struct waiting *waiting, const struct spool *spool, long timeout_s);
/* All are there after service_again(): nothing was read of them. */
void waiting_leave(const struct waiting *waiting);

/* Is there room? When all have their request there is not, until a process takes one. */
bool waiting_has_room(const struct waiting *waiting);

/* Takes a connection over. */
void waiting_add(struct waiting *waiting, int fd);

/* What to poll(2) for: fills waiting->count places. And, after it has returned, what is to be done;
 * nobody may be added in between. */
void waiting_watch(const struct waiting *waiting, struct pollfd *polled);
void waiting_turn(struct waiting *waiting, const struct pollfd *polled);

/* When the next one is late (microseconds since 1970); 0: never. */
int64_t waiting_due_us(const struct waiting *waiting);

/* The connection that has been ready for longest, for the caller to give to a process and close;
 * -1: none. */
int waiting_next(struct waiting *waiting);

#endif
