#define _GNU_SOURCE /* POLLRDHUP */
#include "request.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	LINGER_MS = 2000,
	PAUSE_MS = 20, /* only for sockets without SO_RCVLOWAT, see wait_for() */
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits for input until deadline (monotonic, ms). Returns poll's revents, 0 after the deadline. */
static int wait_input(int fd, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
	int64_t left;
	int n;

	do {
		left = deadline - now_ms();
		n = left > 0 ? poll(&p, 1, (int)left) : 0;
	} while (n < 0 && errno == EINTR);
	return n > 0 ? p.revents : 0;
}

/* Waits until length bytes are there and peeks at them. Returns how many there are: fewer when the
 * peer has closed or the deadline has passed. Linux' TCP wakes us only once SO_RCVLOWAT bytes are
 * there, and makes room for them (tcp_set_rcvlowat(), since 4.18); where that does not hold (a
 * local socket of stunnel's) poll(2) returns early and we pause. */
static size_t wait_for(int fd, unsigned char *data, size_t length, int64_t deadline)
{
	int lowat = (int)length, one = 1, events;
	ssize_t got = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat)); /* else we pause */
	while ((events = wait_input(fd, deadline))) {
		got = recv(fd, data, length, MSG_PEEK | MSG_DONTWAIT);
		if (got == (ssize_t)length || got == 0 ||
			(got < 0 && errno != EAGAIN && errno != EINTR))
			break;
		if (events & (POLLRDHUP | POLLHUP | POLLERR))
			break;
		(void)poll(NULL, 0, PAUSE_MS);
	}
	/* storescp must not inherit it: it would wait for so many bytes each time. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
	return got < 0 ? 0 : (size_t)got;
}

const char *request_peek(int fd, long timeout_s, unsigned char **pdu, size_t *length)
{
	int64_t deadline = now_ms() + timeout_s * 1000;
	unsigned char head[WIRE_HEAD];
	size_t got = wait_for(fd, head, 1, deadline);

	*pdu = NULL;
	if (got == 0)
		return now_ms() >= deadline ? "no request came in time" : "";
	if (head[0] != WIRE_ASSOCIATE_RQ)
		return "the first bytes are not an A-ASSOCIATE-RQ";
	if (wait_for(fd, head, sizeof(head), deadline) < sizeof(head))
		return "the A-ASSOCIATE-RQ did not come whole in time";
	*length = acceptor_length(head);
	if (*length == 0)
		return "the A-ASSOCIATE-RQ claims to be longer than 1 MiB";
	*pdu = malloc(*length);
	if (!*pdu)
		return "out of memory";
	if (wait_for(fd, *pdu, *length, deadline) < *length) {
		free(*pdu);
		*pdu = NULL;
		return "the A-ASSOCIATE-RQ did not come whole in time";
	}
	return NULL;
}

void request_reject(int fd, struct acceptor_reject reject)
{
	int64_t deadline = now_ms() + LINGER_MS;
	unsigned char pdu[WIRE_SHORT], waste[4096];

	acceptor_make_reject(reject, pdu);
	if (send(fd, pdu, sizeof(pdu), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(pdu) ||
		shutdown(fd, SHUT_WR) < 0)
		return; /* the peer has gone, and needs no answer */
	while (wait_input(fd, deadline))
		if (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
			break;
}
