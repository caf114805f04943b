#define _GNU_SOURCE /* accept4 */
#include "listen.h"

#include "base/log.h"
#include "handed.h"

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
		: error == EADDRNOTAVAIL
			? "; set receiver.listen to addresses of this machine (ip addr)"
			: "");
}

static bool is_taken(const struct conf_receiver *taken, long port)
{
	for (size_t i = 0; taken && i < taken->port_count; i++)
		if (taken->port[i] == port)
			return true;
	return false;
}

/* Returns false only for "::" where there is no IPv6. */
static bool open_one(struct listeners *out, const char *address, long port, struct listen_try try)
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
	if (handed_covers(out, info)) {
		freeaddrinfo(info);
		return true;
	}
	fd = bind_and_listen(info);
	freeaddrinfo(info);
	if (fd >= 0) {
		out->one[out->count++] = (struct listener){ .fd = fd, .own = true };
		if (!try.only)
			log_info("listening on %s port %ld", address, port);
		return true;
	}
	if (errno == EADDRINUSE && is_taken(try.taken, port))
		return true;
	if (strcmp(address, "::") != 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
		refuse(address, port, errno);
	log_warning("not listening on :: port %ld: this machine has no IPv6", port);
	return false;
}

void listen_open(const struct conf_receiver *conf, struct listeners *out, struct listen_try try)
{
	size_t room = conf->listen.count * conf->port_count + handed_count() + 1;
	bool any = false;

	*out = (struct listeners){ .one = calloc(room, sizeof(*out->one)) };
	if (!out->one)
		die(EXIT_TEMPORARY, "unable to listen: out of memory");
	handed_take(conf, out, try.only);
	for (size_t i = 0; i < conf->listen.count; i++)
		for (size_t k = 0; k < conf->port_count; k++)
			any |= open_one(out, conf->listen.item[i], conf->port[k], try);
	if (!any && out->count == 0)
		die(EXIT_PERMANENT, "unable to listen: no address is left; set receiver.listen");
}

void listen_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		(void)close(listeners->one[i].fd); /* nothing to lose */
	free(listeners->one);
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
