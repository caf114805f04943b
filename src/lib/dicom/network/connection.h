/*
 * connection: a TCP connection on which no call waits for ever, plain or with a layer on it (TLS,
 * which this module knows nothing of).
 *
 * What a call cannot do is told in why, in words, with its kind in end; a connection that has ended
 * stays so. Input is kept in one buffer of a fixed size.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All calls are those of a socket that does not block: -1 with errno EAGAIN and the event of
 * poll(2) that it waits for in *events; -1 with another errno when the connection is of no use any
 * more, for which why(), when it is not NULL, has a better reason than strerror(3). */
struct connection_layer {
	int (*handshake)(void *state, short *events);
	ssize_t (*read)(void *state, void *data, size_t size, short *events);
	ssize_t (*write)(void *state, const void *data, size_t size, short *events);
	const char *(*why)(void *state);
	void (*close)(void *state);
};

enum connection_end {
	CONNECTION_OPEN,
	CONNECTION_NONE,   /* there was none: no such host, no listener, nobody answers */
	CONNECTION_CLOSED, /* by the peer, or it is broken */
	CONNECTION_SILENT, /* nothing came, or nothing could be written, in time */
};

enum { CONNECTION_WHY = 256, CONNECTION_INPUT = 128 * 1024 + 64 };

struct connection {
	int fd;
	const struct connection_layer *layer;
	void *state;
	int64_t timeout_ms; /* for each wait */
	enum connection_end end;
	char why[CONNECTION_WHY];
	unsigned char *in;
	size_t in_begin, in_end;
};

struct connection_call {
	const char *host, *port;
	int64_t connect_ms; /* for the name server, and for each address */
	int64_t timeout_ms; /* for each wait later on */
	int64_t rate;       /* bytes per second; 0: no limit */
	bool nodelay;
};

/* Calls the host: all its addresses, the next one as soon as one has failed or not answered for a
 * moment (RFC 8305). Returns 0, or -1. connection_close() in both cases. */
int connection_open(struct connection *c, const struct connection_call *call);

/* Puts the layer on it. state is the connection's from now on. Returns 0 or -1. */
int connection_secure(struct connection *c, const struct connection_layer *layer, void *state);

/* Writes some of the data and returns how much; -1 when it has ended. With look it returns 0
 * instead of waiting when there is input to be looked at. */
ssize_t connection_write(struct connection *c, const void *data, size_t size, bool look);

/* Waits for more input, up to the deadline of connection_now(); 0: the time-out counted from when
 * the peer has taken all that was written. Returns 1, or -1. The buffer must not be full. */
int connection_read(struct connection *c, int64_t deadline);

/* Takes what input there is, without waiting. Returns 1, 0 when there is none, or -1. */
int connection_peek(struct connection *c);

/* The input: how much of it there is, and taking some of it off. */
size_t connection_input(const struct connection *c, const unsigned char **at);
void connection_consume(struct connection *c, size_t length);

/* No more will be written; what still comes is read and thrown away until the peer closes, for at
 * most so long. A close with unread input would destroy what the peer has not read yet. */
void connection_linger(struct connection *c, int64_t ms);
void connection_close(struct connection *c);

int64_t connection_now(void); /* monotonic, ms */

/* The connection ends. Returns -1. */
int connection_fail(struct connection *c, enum connection_end end, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
