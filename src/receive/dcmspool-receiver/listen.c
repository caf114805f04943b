#define _GNU_SOURCE /* accept4 */
#include "listen.h"

#include "base/log.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static int bind_and_listen(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, saved;

	if (fd < 0)
		return -1;
	/* V6ONLY: "0.0.0.0" and "::" stand for themselves, and both can be bound. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
		(address->ai_family != AF_INET6 ||
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0) &&
		bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	(void)close(fd); /* an error is being reported */
	errno = saved;
	return -1;
}

static _Noreturn void refuse(const char *address, long port, int error)
{
	char *self = error == EACCES ? realpath("/proc/self/exe", NULL) : NULL;

	if (self)
		die(EXIT_TEMPORARY,
			"unable to listen on %s port %ld: %s; set receiver.port to one above 1023, "
			"or give the right: sudo setcap cap_net_bind_service=+ep %s",
			address, port, strerror(error), self);
	die(EXIT_TEMPORARY, "unable to listen on %s port %ld: %s%s", address, port, strerror(error),
		error == EADDRINUSE ? "; set receiver.port to another, "
				      "or stop the program that has it (sudo ss -ltnp)"
				    : "");
}

/* Returns -1 only for "::" where there is no IPv6. */
static int open_one(const char *address, long port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	struct addrinfo *info;
	char service[24];
	int error, fd;

	(void)snprintf(service, sizeof(service), "%ld", port);
	error = getaddrinfo(address, service, &hints, &info);
	if (error)
		die(error == EAI_NONAME || error == EAI_FAMILY ? EXIT_PERMANENT : EXIT_TEMPORARY,
			"unable to use the address %s: %s; receiver.listen takes numbers", address,
			gai_strerror(error));
	fd = bind_and_listen(info);
	freeaddrinfo(info);
	if (fd >= 0)
		return fd;
	if (strcmp(address, "::") != 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
		refuse(address, port, errno);
	log_warning("not listening on :: port %ld: this machine has no IPv6", port);
	return -1;
}

void listen_open(const struct conf_receiver *conf, struct listeners *out, bool only_try)
{
	out->count = 0;
	out->fd = calloc(conf->listen.count * conf->port_count + 1, sizeof(*out->fd));
	if (!out->fd)
		die(EXIT_TEMPORARY, "unable to listen: out of memory");
	for (size_t i = 0; i < conf->listen.count; i++)
		for (size_t k = 0; k < conf->port_count; k++) {
			int fd = open_one(conf->listen.item[i], conf->port[k]);

			if (fd < 0)
				continue;
			out->fd[out->count++] = fd;
			if (!only_try)
				log_info("listening on %s port %ld", conf->listen.item[i],
					conf->port[k]);
		}
	if (out->count == 0)
		die(EXIT_PERMANENT, "unable to listen: no address is left; set receiver.listen");
}

void listen_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		(void)close(listeners->fd[i]); /* nothing to lose */
	free(listeners->fd);
	*listeners = (struct listeners){ 0 };
}

int listen_accept(int fd)
{
	int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC), one = 1;

	if (connection < 0)
		return -1;
	/* Either failing costs speed, or the notice of a dead peer, not the connection. */
	(void)setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(connection, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	return connection;
}
