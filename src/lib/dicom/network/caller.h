/*
 * caller: who is at the other end of a connection, and what he calls himself.
 */
#ifndef CALLER_H
#define CALLER_H

#include "dicom/network/wire.h"

#include <netinet/in.h>
#include <stdbool.h>

enum { CALLER_CERTIFICATE = 512 };

struct caller {
	char peer[INET6_ADDRSTRLEN]; /* address as text, IPv4 in dots; "local" for a local socket */
	char peer_port[6], local_port[6];
	struct in6_addr address; /* IPv4 as mapped IPv6 */
	bool has_address;
	char certificate[CALLER_CERTIFICATE]; /* the subject; "": none */
	char calling[WIRE_TITLE_SIZE], called[WIRE_TITLE_SIZE];
};

/* Fills in the addresses of a socket; -1 with errno when it is no connected socket. */
int caller_read(int fd, struct caller *caller);

/* Whoever stands between us and the caller says who he is: REMOTE_HOST, REMOTE_PORT and
 * SSL_CLIENT_DN, as of stunnel(8). port: that he called. -1: REMOTE_HOST is no address. */
int caller_from_environment(struct caller *caller, long port);

#endif
