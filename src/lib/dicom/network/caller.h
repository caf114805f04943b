/*
 * caller: who is at the other end of a connection, and what he calls himself.
 */
#ifndef CALLER_H
#define CALLER_H

#include "dicom/network/wire.h"

#include <netinet/in.h>
#include <stdbool.h>

struct caller {
	char peer[INET6_ADDRSTRLEN]; /* address as text, IPv4 in dots; "local" for a local socket */
	char peer_port[6], local_port[6];
	struct in6_addr address; /* IPv4 as mapped IPv6 */
	bool has_address;
	char calling[WIRE_TITLE_SIZE], called[WIRE_TITLE_SIZE];
};

/* Fills in the addresses of a socket; -1 with errno when it is no connected socket. */
int caller_read(int fd, struct caller *caller);

#endif
