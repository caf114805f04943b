/*
 * pace.so: preloaded (LD_PRELOAD, ld.so(8)) into a program that sends, it limits each TCP
 * connection that the program makes to DCMSPOOL_PACE bytes per second.
 *
 * The kernel itself paces (socket(7), SO_MAX_PACING_RATE; TCP does it without any queueing
 * discipline since Linux 4.13), and lets at most the first window of a connection go out at once:
 * ten segments.
 *
 * Its buffer for what is to be sent holds a quarter of a second of that rate. With a larger one the
 * program would believe long before the peer has it all that everything is sent, and wait for the
 * answer in vain.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STATUS_FAILED = 111, STATUS_BUG = 101 }; /* as log.h has them */
/* From so many bytes per second on the kernel's own sizes will do. Below, segments are those of an
 * Ethernet everywhere: the pause after one of 64 KB, as the loopback device has them, could be
 * longer than the time-outs of those who send and receive. */
enum { AMPLE = 10000000, SEGMENT = 1448 };

static int limit(int fd, unsigned long rate)
{
	int buffer = (int)(rate / 8); /* the kernel doubles it, and has a minimum of 4.5 KB */
	int segment = SEGMENT;

	if (rate < AMPLE &&
		(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)) < 0 ||
			setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)) < 0))
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate));
}

/* The address is what <sys/socket.h> declares with _GNU_SOURCE: a union of pointers. */
int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
	const int family = address.__sockaddr__->sa_family;
	static int (*next)(int, const struct sockaddr *, socklen_t);
	const char *text = getenv("DCMSPOOL_PACE");
	unsigned long rate = text ? strtoul(text, NULL, 10) : 0;
	void *symbol;

	if (!next) {
		symbol = dlsym(RTLD_NEXT, "connect");
		if (!symbol)
			_exit(STATUS_BUG);
		memcpy(&next, &symbol, sizeof(next)); /* C11 has no cast from one to the other */
	}
	if (rate > 0 && (family == AF_INET || family == AF_INET6) && limit(fd, rate) < 0) {
		perror("unable to limit the rate of a connection"); /* better none than too fast */
		_exit(STATUS_FAILED);
	}
	return next(fd, address.__sockaddr__, length);
}
