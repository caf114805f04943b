#define _GNU_SOURCE /* POLLRDHUP */
#include "dicom/network/peek.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { PAUSE_MS = 20 }; /* only for sockets without SO_RCVLOWAT */

const char peek_late[] = "no request came in time";
static const char not_whole[] = "the A-ASSOCIATE-RQ did not come whole in time";

static void wait_for_bytes(int fd, struct peeked *p, size_t bytes)
{
	int lowat = (int)bytes;

	if (p->lowat != bytes)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat));
	p->lowat = bytes; /* where it fails, poll(2) returns early */
}

static enum peek wrong(struct peeked *p, const char *why)
{
	p->wrong = why;
	return PEEK_WRONG;
}

/* Without the socket's option. */
static enum peek look(int fd, bool ended, struct peeked *p)
{
	unsigned char head[WIRE_HEAD];
	ssize_t got = recv(fd, head, sizeof(head), MSG_PEEK | MSG_DONTWAIT);
	int available = 0;

	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		return PEEK_GONE;
	if (got > 0 && head[0] != WIRE_ASSOCIATE_RQ)
		return wrong(p, "the first bytes are not an A-ASSOCIATE-RQ");
	if (got == (ssize_t)sizeof(head)) {
		p->length = acceptor_length(head);
		if (p->length == 0)
			return wrong(p, "the A-ASSOCIATE-RQ claims to be longer than 1 MiB");
		if (ioctl(fd, FIONREAD, &available) == 0 && (size_t)available >= p->length)
			return PEEK_WHOLE;
	}
	if (ended)
		return got > 0 ? wrong(p, not_whole) : PEEK_GONE;
	return PEEK_MORE;
}

enum peek peek_look(int fd, bool ended, struct peeked *p)
{
	enum peek result = look(fd, ended, p);

	/* Whoever gets the socket must not inherit it: he would wait for so many bytes each time.
	 */
	wait_for_bytes(fd, p, result != PEEK_MORE ? 1 : p->length ? p->length : WIRE_HEAD);
	return result;
}

/* Waits for input. Returns poll's revents; 0 after the deadline. */
static int wait_input(int fd, int64_t deadline_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
	int n;

	do
		n = poll(&p, 1, clock_left_ms(deadline_ms));
	while (n < 0 && errno == EINTR);
	return n > 0 ? p.revents : 0;
}

const char *peek_request(int fd, long timeout_s, unsigned char **pdu, size_t *length)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_s * 1000;
	struct peeked p = { 0 };
	bool late = false;
	enum peek state;
	int events = 0;

	*pdu = NULL;
	while ((state = peek_look(fd, late || events & (POLLRDHUP | POLLHUP | POLLERR), &p)) ==
		PEEK_MORE) {
		if (events) /* it was waited for, and is not there: SO_RCVLOWAT does not hold */
			(void)poll(NULL, 0, PAUSE_MS);
		events = wait_input(fd, deadline_ms);
		late = !events;
	}
	if (state != PEEK_WHOLE)
		return state == PEEK_WRONG ? p.wrong : late ? peek_late : "";
	*length = p.length;
	*pdu = malloc(p.length);
	if (*pdu && recv(fd, *pdu, p.length, MSG_PEEK | MSG_DONTWAIT) == (ssize_t)p.length)
		return NULL;
	free(*pdu);
	*pdu = NULL;
	return "out of memory";
}
