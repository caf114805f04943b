/*
 * request: the answer to a request that is refused.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "dicom/network/acceptor.h"

/* So many callers may be there whose request is not whole, and so many of one address. */
enum { REQUEST_SILENT_MAX = 512, REQUEST_SILENT_OF_PEER = 32 };
extern const char request_too_many[], request_too_many_of_peer[];

/* Takes the request of length bytes off the socket, answers it, and ends the connection: nobody
 * waits for a caller who does not hang up. With unread data in it, closing it would send a reset,
 * which may overtake the refusal. */
void request_refuse(int fd, size_t length, struct acceptor_reject reject);

/* Takes so many bytes off the socket, where they are waiting. -1 with errno. */
int request_consume(int fd, size_t length);

#endif
