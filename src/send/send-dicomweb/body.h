/*
 * body: the body of one request, multipart/related (RFC 2387, PS3.18 8.6.1.2), made while it is
 * sent: in memory there is never more than a buffer's worth of it, and its length is known
 * beforehand.
 *
 * The boundary is 128 random bits, drawn when the files already exist, so that no file can have
 * been made to contain it.
 */
#ifndef BODY_H
#define BODY_H

#include "batch.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { BODY_BOUNDARY = 32, BODY_BUFFER = 1 << 16 };

struct body {
	const struct sender *sender;
	const struct batch *batch;
	char boundary[BODY_BOUNDARY + 1];
	off_t length; /* of the whole body */
	size_t next;  /* the part that comes next; one more than there are: all is in the buffer */
	int file;     /* of the part before, -1: it has been read to its end */
	off_t left;   /* bytes of it that are still to be read */
	char buffer[BODY_BUFFER];
	size_t from, filled;
	int error; /* after BODY_UNREADABLE: of the part before next, 0: it has become shorter */
};

/* BODY_MORE: the descriptor takes nothing at the moment. BODY_REFUSED: the reader has closed it. */
enum body_state { BODY_MORE, BODY_DONE, BODY_REFUSED, BODY_UNREADABLE };

/* Returns -1 with errno when there is no randomness. */
int body_open(struct body *body, const struct sender *sender, const struct batch *batch);
/* Writes to a non-blocking descriptor what it takes. */
enum body_state body_write(struct body *body, int fd);
void body_close(struct body *body);

#endif
