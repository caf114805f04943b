#include "handed.h"

#include "base/log.h"
#include "base/service.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char variable[] = "DCMSPOOL_SOCKETS", own_mark[] = "own:";

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static bool address_of(int fd, union address *out)
{
	socklen_t size = sizeof(*out);
	int listens = 0;
	socklen_t length = sizeof(listens);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens &&
	       getsockname(fd, &out->any, &size) == 0 &&
	       (out->any.sa_family == AF_INET || out->any.sa_family == AF_INET6);
}

static long port_of(const union address *a)
{
	return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

static const char *text_of(const union address *a, char *out, size_t size)
{
	const void *bytes = a->any.sa_family == AF_INET ? (const void *)&a->v4.sin_addr
							: (const void *)&a->v6.sin6_addr;

	return inet_ntop(a->any.sa_family, bytes, out, (socklen_t)size) ? out : "?";
}

static bool same_address(const union address *a, const union address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
}

/* "0.0.0.0" gets what is for any address of IPv4, "::" of both unless it is IPV6_V6ONLY. */
static bool gets_all(int fd, const union address *a, int family)
{
	int only = 1;
	socklen_t length = sizeof(only);

	if (a->any.sa_family == AF_INET)
		return family == AF_INET && a->v4.sin_addr.s_addr == htonl(INADDR_ANY);
	if (!IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr))
		return false;
	return family == AF_INET6 ||
	       (getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &length) == 0 && !only);
}

bool handed_covers(const struct listeners *listeners, const struct addrinfo *address)
{
	union address wanted = { 0 }, has;

	if (address->ai_addrlen > sizeof(wanted))
		return false;
	memcpy(&wanted, address->ai_addr, address->ai_addrlen);
	for (size_t i = 0; i < listeners->count; i++) {
		const struct listener *one = &listeners->one[i];

		if (!address_of(one->fd, &has) || port_of(&has) != port_of(&wanted))
			continue;
		if (same_address(&has, &wanted) ||
			(!one->own && gets_all(one->fd, &has, wanted.any.sa_family)))
			return true;
	}
	return false;
}

static bool is_configured(const struct conf_receiver *conf, const union address *a, bool own)
{
	bool port = false, listens = !own;

	for (size_t i = 0; i < conf->port_count; i++)
		port |= conf->port[i] == port_of(a);
	for (size_t i = 0; i < conf->listen.count; i++) {
		union address wanted = { 0 };

		if (inet_pton(AF_INET, conf->listen.item[i], &wanted.v4.sin_addr) == 1)
			wanted.any.sa_family = AF_INET;
		else if (inet_pton(AF_INET6, conf->listen.item[i], &wanted.v6.sin6_addr) == 1)
			wanted.any.sa_family = AF_INET6;
		listens |= same_address(&wanted, a);
	}
	return port && listens;
}

static void tell(const union address *a, bool own, bool fits)
{
	char text[INET6_ADDRSTRLEN];

	(void)text_of(a, text, sizeof(text));
	if (own)
		log_info("%s on %s port %ld", fits ? "listening" : "no longer listening", text,
			port_of(a));
	else if (fits)
		log_info("listening on %s port %ld, with a socket that was handed over", text,
			port_of(a));
	else
		log_warning("not listening on %s port %ld, for which a socket was handed over: "
			    "receiver.port has another; correct it, or ListenStream= of the socket",
			text, port_of(a));
}

static void take(
	const struct conf_receiver *conf, struct listeners *l, struct listener one, bool only_try)
{
	union address a;
	bool fits;

	if (!address_of(one.fd, &a)) {
		log_warning("descriptor %d was handed over, but is no socket that listens for TCP",
			one.fd);
		return; /* whatever it is: it is not ours */
	}
	fits = is_configured(conf, &a, one.own);
	if (!only_try)
		tell(&a, one.own, fits);
	if (!fits) {
		(void)close(one.fd); /* nothing to lose */
		return;
	}
	/* accept(2) must not wait, fork not pass it on; neither fails for a descriptor */
	(void)fcntl(one.fd, F_SETFL, fcntl(one.fd, F_GETFL) | O_NONBLOCK);
	(void)fcntl(one.fd, F_SETFD, FD_CLOEXEC);
	l->one[l->count++] = one;
	l->handed |= !one.own;
}

size_t handed_count(void)
{
	const char *text = getenv(variable);
	size_t count = text && *text;

	for (; text && *text; text++)
		count += *text == ' ';
	return count;
}

void handed_take(const struct conf_receiver *conf, struct listeners *listeners, bool only_try)
{
	char *text = getenv(variable), *rest = NULL;
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		die(EXIT_TEMPORARY, "unable to listen: out of memory");
	for (char *word = copy ? strtok_r(copy, " ", &rest) : NULL; word;
		word = strtok_r(NULL, " ", &rest)) {
		bool own = strncmp(word, own_mark, strlen(own_mark)) == 0;
		long fd;

		if (parse_long(word + (own ? strlen(own_mark) : 0), STDERR_FILENO + 1, INT_MAX,
			    &fd) == 0)
			take(conf, listeners, (struct listener){ .fd = (int)fd, .own = own },
				only_try);
	}
	free(copy);
	(void)unsetenv(variable); /* cannot fail */
}

void handed_leave(const struct listeners *listeners)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < listeners->count; i++) {
		buf_printf(&text, "%s%s%d", i ? " " : "", listeners->one[i].own ? own_mark : "",
			listeners->one[i].fd);
		service_keep(listeners->one[i].fd);
	}
	if (text.failed || setenv(variable, text.data ? text.data : "", 1) < 0)
		die(EXIT_TEMPORARY, "unable to begin anew: out of memory");
	buf_free(&text);
}
