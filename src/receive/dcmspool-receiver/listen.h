/*
 * listen: the sockets of all configured addresses and ports.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>

#include "conf/conf.h"

struct listeners {
	int *fd;
	size_t count;
};

/* Binds and listens, and tells so unless it is only tried; dies when it cannot. "::" is left out,
 * with a warning, on a machine without IPv6. */
void listen_open(const struct conf_receiver *conf, struct listeners *out, bool only_try);
void listen_close(struct listeners *listeners);

/* Takes one connection, with TCP_NODELAY (DIMSE is a dialogue of small messages: 22 -> 456
 * images/s) and keepalive set. -1 with errno. */
int listen_accept(int fd);

#endif
