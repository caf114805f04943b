/*
 * peek: looks at the A-ASSOCIATE-RQ on a socket without taking it away, so that storescp finds the
 * socket as if nobody had touched it.
 */
#ifndef PEEK_H
#define PEEK_H

#include "dicom/network/acceptor.h"

enum peek {
	PEEK_MORE,  /* there is not enough yet */
	PEEK_WHOLE, /* the whole request is there */
	PEEK_WRONG, /* there will be none */
	PEEK_GONE,  /* the peer closed without sending a byte, as health checks do */
};

/* What one look has seen. */
struct peeked {
	size_t length;     /* of the whole request; 0: not known yet */
	size_t lowat;      /* bytes that poll(2) was told to wait for */
	const char *wrong; /* with PEEK_WRONG: why */
};

/* Looks once, without waiting. ended: poll(2) said that nothing more will come (POLLRDHUP, POLLHUP,
 * POLLERR). *p is zeroed before the first look.
 *
 * After PEEK_MORE poll(2) reports POLLIN again only when what is missing is there: Linux' TCP wakes
 * us only once SO_RCVLOWAT bytes are there, and makes room for them (tcp_set_rcvlowat(), since
 * 4.18). Where that does not hold (a local socket of stunnel's), poll(2) returns at once. After
 * anything else the socket is as it was. */
enum peek peek_look(int fd, bool ended, struct peeked *p);

/* The same until the request is there, at most timeout_s. Returns NULL with *pdu (the caller frees)
 * and *length, or why there is none; "" for PEEK_GONE. */
const char *peek_request(int fd, long timeout_s, unsigned char **pdu, size_t *length);

extern const char peek_late[]; /* why, when the time is over */

#endif
