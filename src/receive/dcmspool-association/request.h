/*
 * request: the A-ASSOCIATE-RQ on a socket, read without taking it away, and the refusal.
 *
 * The PDU is only peeked at, so that storescp finds the socket as if nobody had touched it.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "dicom/network/acceptor.h"

/* Waits until a whole A-ASSOCIATE-RQ can be peeked at, at most timeout_s for all of it. Returns
 * NULL with *pdu (the caller frees) and *length, or why there is none; "" when the peer closed
 * without sending a byte, as health checks do. */
const char *request_peek(int fd, long timeout_s, unsigned char **pdu, size_t *length);

/* Sends an A-ASSOCIATE-RJ and waits a moment for the peer to close: closing a socket with unread
 * data in it would send a reset, which may overtake the refusal. */
void request_reject(int fd, struct acceptor_reject reject);

#endif
