#define _GNU_SOURCE
#include "dicom/network/connection.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	SLICES = 8
}; /* of a time-out: how often we look whether the peer still takes what we wrote */

int64_t connection_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int connection_fail(struct connection *c, enum connection_end end, const char *format, ...)
{
	va_list args;

	if (c->end != CONNECTION_OPEN)
		return -1;
	c->end = end;
	va_start(args, format);
	(void)vsnprintf(c->why, sizeof(c->why), format, args); /* a longer reason is cut */
	va_end(args);
	return -1;
}

/* A call has failed with errno. */
static int broken(struct connection *c)
{
	const int number = errno;
	const char *why = c->layer ? c->layer->why(c->state) : NULL;

	if (!why)
		return connection_fail(c, CONNECTION_CLOSED, "%s", strerror(number));
	c->end = CONNECTION_OPEN; /* it tells more than what was said before */
	return connection_fail(c, CONNECTION_NONE, "%s", why);
}

/* Waits for events until the deadline. Returns poll's revents, 0 after the deadline. */
static int wait_until(struct connection *c, short events, int64_t deadline)
{
	struct pollfd p = { .fd = c->fd, .events = events };
	int64_t left;
	int n;

	do {
		left = deadline - connection_now();
		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0 ? p.revents : 0;
}

/* Bytes that the peer's TCP has not acknowledged. */
static int unacknowledged(const struct connection *c)
{
	int bytes = 0;

	return ioctl(c->fd, SIOCOUTQ, &bytes) < 0 ? 0 : bytes;
}

/* Waits for events for as long as the time-out, which begins anew whenever the peer has taken some
 * of what was written: a slow or rate-limited connection is not a silent one. */
static int wait_moving(struct connection *c, short events)
{
	int64_t deadline = connection_now() + c->timeout_ms;
	int queue = unacknowledged(c), now, got;

	while (queue > 0) {
		int64_t slice = connection_now() + c->timeout_ms / SLICES + 1;

		if ((got = wait_until(c, events, slice < deadline ? slice : deadline)))
			return got;
		now = unacknowledged(c);
		if (now < queue)
			deadline = connection_now() + c->timeout_ms;
		else if (connection_now() >= deadline)
			return 0;
		queue = now;
	}
	return wait_until(c, events, deadline);
}

int connection_secure(struct connection *c, const struct connection_layer *layer, void *state)
{
	int64_t deadline = connection_now() + c->timeout_ms;
	short events;

	c->layer = layer;
	c->state = state;
	while (layer->handshake(state, &events) < 0) {
		if (errno != EAGAIN)
			return broken(c);
		if (!wait_until(c, events, deadline))
			return connection_fail(c, CONNECTION_SILENT,
				"the target does not answer in time (TLS); it may speak no TLS at "
				"this port");
	}
	return 0;
}

static ssize_t try_write(struct connection *c, const void *data, size_t size, short *events)
{
	ssize_t n;

	if (c->layer)
		return c->layer->write(c->state, data, size, events);
	do
		n = send(c->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	*events = POLLOUT;
	return n;
}

ssize_t connection_write(struct connection *c, const void *data, size_t size, bool look)
{
	short events = 0;
	ssize_t n;
	int got;

	while (c->end == CONNECTION_OPEN) {
		n = try_write(c, data, size, &events);
		if (n > 0)
			return n;
		if (n < 0 && errno != EAGAIN)
			return broken(c);
		got = wait_moving(c, events | (look ? POLLIN : 0));
		if (!got)
			return connection_fail(c, CONNECTION_SILENT,
				"the target takes nothing more for %lld s",
				(long long)(c->timeout_ms / 1000));
		if (look && (got & POLLIN) && !(got & POLLOUT))
			return 0;
	}
	return -1;
}

static ssize_t try_read(struct connection *c, short *events)
{
	unsigned char *to = c->in + c->in_end;
	const size_t size = CONNECTION_INPUT - c->in_end;
	ssize_t n;

	if (c->layer)
		return c->layer->read(c->state, to, size, events);
	do
		n = recv(c->fd, to, size, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	*events = POLLIN;
	return n;
}

/* Returns 1, 0 when there is nothing now, or -1. A connection that cannot be written to any more
 * may still have input. */
static int take_in(struct connection *c, short *events)
{
	ssize_t n;

	if (c->in_begin > 0) {
		memmove(c->in, c->in + c->in_begin, c->in_end - c->in_begin);
		c->in_end -= c->in_begin;
		c->in_begin = 0;
	}
	n = try_read(c, events);
	if (n > 0) {
		c->in_end += (size_t)n;
		return 1;
	}
	if (n == 0)
		return connection_fail(c, CONNECTION_CLOSED, "the target closes the connection");
	return errno == EAGAIN ? 0 : broken(c);
}

int connection_read(struct connection *c, int64_t deadline)
{
	short events = 0;
	int got;

	while (!(got = take_in(c, &events)))
		if (!(deadline ? wait_until(c, events, deadline) : wait_moving(c, events)))
			return connection_fail(c, CONNECTION_SILENT,
				"the target does not answer in time (%lld s)",
				(long long)(c->timeout_ms / 1000));
	return got;
}

int connection_peek(struct connection *c)
{
	short events = 0;

	return take_in(c, &events);
}

size_t connection_input(const struct connection *c, const unsigned char **at)
{
	*at = c->in + c->in_begin;
	return c->in_end - c->in_begin;
}

void connection_consume(struct connection *c, size_t length)
{
	c->in_begin += length;
}

void connection_linger(struct connection *c, int64_t ms)
{
	int64_t deadline = connection_now() + ms;
	unsigned char waste[4096];

	if (c->fd < 0 || shutdown(c->fd, SHUT_WR) < 0)
		return; /* the peer has gone */
	while (wait_until(c, POLLIN, deadline))
		if (recv(c->fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
			break;
}

void connection_close(struct connection *c)
{
	if (c->layer)
		c->layer->close(c->state);
	if (c->fd >= 0)
		(void)close(c->fd); /* a socket */
	free(c->in);
	c->layer = NULL;
	c->in = NULL;
	c->fd = -1;
}
