#include "request.h"

#include <errno.h>
#include <sys/socket.h>

const char request_too_many[] = "too many connections without a request";
const char request_too_many_of_peer[] = "too many connections of this address without a request";

int request_consume(int fd, size_t length)
{
	unsigned char waste[4096];

	while (length > 0) {
		ssize_t n = recv(
			fd, waste, length < sizeof(waste) ? length : sizeof(waste), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0)
				errno = ECONNRESET;
			return -1;
		}
		length -= (size_t)n;
	}
	return 0;
}

void request_refuse(int fd, size_t length, struct acceptor_reject reject)
{
	unsigned char pdu[WIRE_SHORT];

	acceptor_make_refusal(reject, pdu);
	/* Whether he has gone makes no difference any more. */
	(void)request_consume(fd, length);
	(void)send(fd, pdu, sizeof(pdu), MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)shutdown(fd, SHUT_WR);
}
