/*
 * association: one connection, as its directory in receiving/ stands for it.
 *
 * The directory's flock(2) is held by this process, storescp and getdcmtags together (they inherit
 * the descriptor): it is free only when all three are dead, and then the association is recovered.
 * What is in it: spool/assoc.h.
 */
#ifndef ASSOCIATION_H
#define ASSOCIATION_H

#include "dicom/network/acceptor.h"
#include "conf/conf.h"
#include "spool/assoc.h"
#include "spool/spool.h"
#include "standin.h"

#include <netinet/in.h>

struct association {
	const struct conf *conf;
	const struct spool *spool;
	const struct stand_ins *stand_ins; /* none in a recovery */
	char name[ASSOC_NAME_SIZE];        /* "<stamp>.<pid>"; the router makes others for things
						    dropped by hand */
	int dir;                           /* locked */
};

/* Who is calling. */
struct caller {
	char peer[INET6_ADDRSTRLEN]; /* address as text, IPv4 in dots; "local" for a local socket */
	char peer_port[6], local_port[6];
	struct in6_addr address; /* IPv4 as mapped IPv6 */
	bool has_address;
	char calling[WIRE_TITLE_SIZE], called[WIRE_TITLE_SIZE];
};

/* Fills in the addresses of a socket; -1 with errno when it is no connected socket. */
int caller_read(int fd, struct caller *caller);

/* Takes apart what an association leaves: its markers in incoming/; then our own files and the
 * directory. Both return 0, or -1 after having logged why, for the next recovery: images remain,
 * say. */
int association_settle(const struct association *a);
int association_remove(const struct association *a);

#endif
