/*
 * storescp: starts DCMTK's storescp for one association, or one that waits for them (parked.h).
 *
 * It gets the socket as standard input (--inetd), the association's directory as working directory,
 * and everything that depends on the network in files of memory that it inherits (memfd_create(2)):
 * no value of the sender's is an argument. Its log goes to a descriptor that it inherits, too.
 */
#ifndef STORESCP_H
#define STORESCP_H

#include "conf/conf.h"

#include <sys/types.h>

/* The variable that names the descriptor of the log, for storescp-write.so; and the one that is set
 * for a storescp that is to wait. */
#define STORESCP_LOG   "DCMSPOOL_STORESCP_LOG"
#define STORESCP_WAITS "DCMSPOOL_STORESCP_WAITS"
/* No file: storescp-write.so waits in the fopen(3) of it. */
#define STORESCP_WAITING_PROFILE "/dcmspool/profile"

/* One of its own for the connection. Returns its pid, a child's, or -1 with errno. log: inherited
 * under its number; everything stays the caller's. */
pid_t storescp_start(
	const struct conf_receiver *conf, int directory, int connection, int profile, int log);

/* One that waits: connections come through command, parked.h. */
pid_t storescp_start_waiting(const struct conf_receiver *conf, int command, int log);

#endif
