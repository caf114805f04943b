/*
 * dial: connection_open(): all addresses of a host are tried, IPv6 and IPv4 in turn as
 * getaddrinfo(3) sorts them, each STAGGER_MS after the one before it or as soon as that has failed
 * (RFC 8305); the first that is taken wins.
 */
#define _GNU_SOURCE
#include "dicom/network/connection.h"
#include "dicom/network/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STAGGER_MS = 250, ADDRESSES = 16 };

struct attempts {
	const struct addrinfo *address[ADDRESSES];
	struct pollfd poll[ADDRESSES]; /* fd -1: not begun, or over */
	int64_t deadline[ADDRESSES];
	size_t count, begun, open;
	int error; /* of the first that failed for another reason than time */
};

/* The next address of the other family than the last one's, if there is one. */
static const struct addrinfo *next(const struct attempts *a, const struct addrinfo *all, int family)
{
	const struct addrinfo *first = NULL;

	for (; all; all = all->ai_next) {
		size_t i = 0;

		while (i < a->count && a->address[i] != all)
			i++;
		if (i < a->count)
			continue;
		if (all->ai_family != family)
			return all;
		if (!first)
			first = all;
	}
	return first;
}

static void interleave(struct attempts *a, const struct addrinfo *all)
{
	const struct addrinfo *one;
	int family = AF_UNSPEC;

	while (a->count < ADDRESSES && (one = next(a, all, family))) {
		a->address[a->count++] = one;
		family = one->ai_family;
	}
}

static void set_options(int fd, const struct connection_call *call)
{
	unsigned long rate = (unsigned long)call->rate;
	int on = 1;

	/* Neither can fail on a TCP socket of Linux. */
	if (call->nodelay)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (call->rate)
		(void)setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate));
}

static void give_up(struct attempts *a, size_t i, int error)
{
	(void)close(a->poll[i].fd); /* a socket */
	a->poll[i].fd = -1;
	a->open--;
	if (!a->error || a->error == ETIMEDOUT)
		a->error = error;
}

/* Begins the next attempt. Returns the descriptor when it is through at once, else -1. */
static int begin(struct attempts *a, const struct connection_call *call)
{
	const size_t i = a->begun++;
	const struct addrinfo *one = a->address[i];
	int fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	a->poll[i] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	a->deadline[i] = connection_now() + call->connect_ms;
	if (fd < 0) {
		if (!a->error)
			a->error = errno;
		return -1;
	}
	a->open++;
	set_options(fd, call);
	if (connect(fd, one->ai_addr, one->ai_addrlen) == 0)
		return fd;
	if (errno != EINPROGRESS && errno != EINTR)
		give_up(a, i, errno);
	return -1;
}

/* Looks at what poll(2) has found. Returns the descriptor of one that is through, else -1. */
static int look(struct attempts *a)
{
	for (size_t i = 0; i < a->begun; i++) {
		socklen_t size = sizeof(int);
		int error = 0;

		if (a->poll[i].fd < 0)
			continue;
		if (a->poll[i].revents) {
			if (getsockopt(a->poll[i].fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
				error = errno;
			if (!error)
				return a->poll[i].fd;
			give_up(a, i, error);
		} else if (connection_now() >= a->deadline[i]) {
			give_up(a, i, ETIMEDOUT);
		}
	}
	return -1;
}

/* Until when poll(2) may wait. */
static int64_t until(const struct attempts *a, int64_t stagger)
{
	int64_t first = a->begun < a->count ? stagger : INT64_MAX;

	for (size_t i = 0; i < a->begun; i++)
		if (a->poll[i].fd >= 0 && a->deadline[i] < first)
			first = a->deadline[i];
	return first;
}

/* Returns the descriptor of the connection, or -1 with errno. */
static int race(struct attempts *a, const struct connection_call *call)
{
	int64_t stagger = 0, left;
	int fd = -1;

	while (fd < 0 && (a->begun < a->count || a->open > 0)) {
		if (a->begun < a->count && (a->open == 0 || connection_now() >= stagger)) {
			fd = begin(a, call);
			stagger = connection_now() + STAGGER_MS;
			continue;
		}
		left = until(a, stagger) - connection_now();
		(void)poll(a->poll, a->begun, left > 0 ? (int)left : 0); /* look() sees more */
		fd = look(a);
	}
	for (size_t i = 0; i < a->begun; i++)
		if (a->poll[i].fd >= 0 && a->poll[i].fd != fd)
			(void)close(a->poll[i].fd); /* a socket */
	errno = a->error;
	return fd;
}

int connection_open(struct connection *c, const struct connection_call *call)
{
	struct addrinfo *all = NULL;
	struct attempts a = { 0 };
	char text[CONNECTION_WHY];
	const char *wrong;
	int error;

	*c = (struct connection){
		.fd = -1, .timeout_ms = call->timeout_ms, .in = malloc(CONNECTION_INPUT)
	};
	if (!c->in)
		return connection_fail(c, CONNECTION_NONE, "out of memory");
	wrong = resolve(call->host, call->port, call->connect_ms, &all, text, sizeof(text));
	if (wrong)
		return connection_fail(c, CONNECTION_NONE, "%s", wrong);
	interleave(&a, all);
	c->fd = race(&a, call);
	error = errno;
	freeaddrinfo(all);
	if (c->fd >= 0)
		return 0;
	if (error == ETIMEDOUT)
		return connection_fail(c, CONNECTION_NONE, "no connection in time (%lld s)",
			(long long)(call->connect_ms / 1000));
	return connection_fail(c, CONNECTION_NONE, "%s", strerror(error));
}
