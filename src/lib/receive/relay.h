/*
 * relay: stands between the sender and storescp in an association that needs stand-ins (standin.h).
 *
 * storescp gets one end of a local socket instead of the connection. The request was taken off the
 * connection and goes to storescp with the stand-ins; the real syntaxes are put back into the
 * answer; everything else is copied as it is, in both directions. The relay keeps no time: each end
 * is as slow as the other one, and storescp's time-outs hold. It ends when storescp closes its end;
 * when the sender closes his, storescp is told so after the last byte, and may still answer.
 */
#ifndef RELAY_H
#define RELAY_H

#include "standin.h"

#include <poll.h>
#include <stdbool.h>

enum { RELAY_SENDER, RELAY_STORESCP, RELAY_ENDS };

/* Bytes on their way to an end: one buffer, filled again when it is empty. */
struct relay_flow {
	unsigned char *data;
	size_t begin, end;
	bool over; /* nothing more comes in */
};

struct relay {
	const struct stand_ins *stand_ins;
	int fd[RELAY_ENDS]; /* -1: closed */
	struct relay_flow to[RELAY_ENDS];
	bool answered; /* storescp's answer has been rewritten */
	bool told;     /* storescp, that the sender has closed his end */
};
#define RELAY_NONE                                                                                 \
	{                                                                                          \
		.fd = { -1, -1 }                                                                   \
	}

/* Takes the request, of length bytes, off the connection, to which request is the one for storescp.
 * Returns the end of the local socket that storescp is to get, to be closed by the caller; or -1
 * with errno. The connection itself stays the caller's. */
int relay_open(struct relay *r, int connection, size_t length, const struct buf *request,
	const struct stand_ins *stand_ins);

/* What to poll(2) for; and, after it has returned, what is to be done. */
void relay_watch(const struct relay *r, struct pollfd polls[RELAY_ENDS]);
void relay_turn(struct relay *r, const struct pollfd polls[RELAY_ENDS]);

/* storescp has ended: what it wrote is passed on, as far as the connection takes it; then closes.
 */
void relay_finish(struct relay *r);
void relay_close(struct relay *r);

#endif
