/*
 * listen: the sockets of all configured addresses and ports.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>

#include "conf/conf.h"

struct listener {
	int fd;
	bool own; /* we have opened it, now or before we began anew */
};

struct listeners {
	struct listener *one;
	size_t count;
	bool handed; /* there are some that are not our own: they go on when we end */
};

/* Only tries to listen: a port of `taken`, the configuration that runs (NULL: none does), is in use
 * by right. */
struct listen_try {
	bool only;
	const struct conf_receiver *taken;
};

/* Takes what was handed over (handed.h), binds what is missing, listens, and tells so; dies when it
 * cannot. "::" is left out, with a warning, on a machine without IPv6. */
void listen_open(const struct conf_receiver *conf, struct listeners *out, struct listen_try try);
void listen_close(struct listeners *listeners);

/* Takes one connection, with TCP_NODELAY (DIMSE is a dialogue of small messages: 22 -> 456
 * images/s) and keepalive set. -1 with errno. */
int listen_accept(int fd);

#endif
