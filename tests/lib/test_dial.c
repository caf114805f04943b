/* dial and resolve: hosts of several addresses, some dead, and name servers that do not answer. The
 * C library's getaddrinfo(3) is played: names are those of this test. */
#define _GNU_SOURCE
#include "tap.h"

#include "dicom/network/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUEUE = 8 };

/* 127.0.0.1 listens and answers; 127.0.0.2 listens, and its queue is full, so that what calls it
 * hears nothing; at 127.0.0.3 nobody listens. */
static char port[8];
static int stuck[2]; /* a name server that does not answer reads from it, until it is closed */

static const struct name {
	const char *name, *address[4];
} names[] = {
	{ "dead-first.test", { "127.0.0.2", "127.0.0.1" } },
	{ "refusing-first.test", { "127.0.0.3", "127.0.0.1" } },
	{ "dead-thrice.test", { "127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.1" } },
	{ "families.test", { "127.0.0.2", "127.0.0.2", "127.0.0.2", "::1" } },
	{ "dead.test", { "127.0.0.2" } },
	{ "refusing.test", { "127.0.0.3" } },
};

static struct addrinfo *make(const char *address)
{
	struct addrinfo *one = calloc(1, sizeof(*one));
	struct sockaddr_in6 *in6 = calloc(1, sizeof(*in6));
	struct sockaddr_in *in = (struct sockaddr_in *)in6; /* the port is at the same place */

	if (!one || !in6)
		abort();
	in->sin_family = strchr(address, ':') ? AF_INET6 : AF_INET;
	in->sin_port = htons((uint16_t)atoi(port));
	(void)inet_pton(in->sin_family, address,
		in->sin_family == AF_INET ? (void *)&in->sin_addr : (void *)&in6->sin6_addr);
	*one = (struct addrinfo){ .ai_family = in->sin_family,
		.ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)in6,
		.ai_addrlen = in->sin_family == AF_INET ? sizeof(*in) : sizeof(*in6) };
	return one;
}

int getaddrinfo(const char *restrict host, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict all)
{
	struct addrinfo **end = all;
	char byte;

	(void)service;
	if (hints->ai_flags & AI_NUMERICHOST)
		return EAI_NONAME;
	if (strcmp(host, "stuck.test") == 0) {
		(void)!read(stuck[0], &byte, 1);
		return EAI_AGAIN;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t k = 0; k < 4 && names[i].address[k]; k++)
			if (strcmp(host, names[i].name) == 0) {
				*end = make(names[i].address[k]);
				end = &(*end)->ai_next;
			}
	return end == all ? EAI_NONAME : 0;
}

void freeaddrinfo(struct addrinfo *all)
{
	while (all) {
		struct addrinfo *next = all->ai_next;

		free(all->ai_addr);
		free(all);
		all = next;
	}
}

/* A listening socket, at any port if there is none yet; -1 when there is no such address here. */
static int listen_at(const char *address, int backlog)
{
	struct addrinfo *a = make(address);
	int fd = socket(a->ai_family, SOCK_STREAM, 0);
	socklen_t size = a->ai_addrlen;

	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, backlog) < 0 ||
		getsockname(fd, a->ai_addr, &size) < 0) {
		freeaddrinfo(a);
		return -1;
	}
	(void)snprintf(
		port, sizeof(port), "%d", ntohs(((struct sockaddr_in *)a->ai_addr)->sin_port));
	freeaddrinfo(a);
	return fd;
}

/* Until the kernel answers no more. */
static void fill_queue(const char *address, int calls[QUEUE])
{
	struct addrinfo *a = make(address);

	for (int i = 0; i < QUEUE; i++) {
		struct pollfd p = { .events = POLLOUT };

		calls[i] = p.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(p.fd, a->ai_addr, a->ai_addrlen);
		if (poll(&p, 1, 100) == 0)
			break;
	}
	freeaddrinfo(a);
}

static bool calls(
	const char *host, int64_t connect_ms, const char *why, int64_t least, int64_t most)
{
	const struct connection_call call = { host, port, connect_ms, 60000, 0, true };
	const int64_t begin = connection_now();
	struct connection c;
	const bool connected = connection_open(&c, &call) == 0;
	const int64_t took = connection_now() - begin;
	const bool good = connected == !why && (!why || strcmp(c.why, why) == 0) && took >= least &&
			  took <= most;

	if (!good)
		printf("# %s: %s after %lld ms\n", host, connected ? "connected" : c.why,
			(long long)took);
	connection_close(&c);
	return good;
}

int main(void)
{
	int queue[QUEUE];
	const int good = listen_at("127.0.0.1", 16), dead = listen_at("127.0.0.2", 0);
	const int other = listen_at("::1", 16);

	if (good < 0 || dead < 0 || pipe(stuck) < 0)
		return 1;
	fill_queue("127.0.0.2", queue);
	ok(calls("dead-first.test", 20000, NULL, 200, 10000),
		"an address that does not answer costs a moment only");
	ok(calls("refusing-first.test", 20000, NULL, 0, 240), "one that refuses costs nothing");
	ok(calls("dead-thrice.test", 20000, NULL, 400, 10000), "the last of four is reached");
	ok(other < 0 || calls("families.test", 20000, NULL, 200, 700),
		"the other family has the second turn");
	ok(calls("dead.test", 1000, "no connection in time (1 s)", 900, 10000),
		"the only one does not answer: for no longer than the time-out");
	ok(calls("refusing.test", 20000, strerror(ECONNREFUSED), 0, 10000), "the only one refuses");
	ok(calls("none.test", 20000, "unknown host: Name or service not known", 0, 10000),
		"a name that nobody has");
	ok(calls("stuck.test", 1000,
		   "the name server does not answer in time (1 s); give the host's address instead",
		   900, 10000),
		"a name server that does not answer: for no longer than the time-out");
	(void)close(stuck[1]); /* now it ends, and frees what it was left with */
	(void)close(other);
	(void)close(dead);
	(void)close(good);
	return tap_done();
}
