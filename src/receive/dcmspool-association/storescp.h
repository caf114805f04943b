/*
 * storescp: starts DCMTK's storescp for one association.
 *
 * It gets the socket as standard input (--inetd), the association's directory as working directory,
 * and everything that depends on the network in files of memory that it inherits (memfd_create(2)):
 * no value of the sender's is an argument. Its log comes back through a pipe.
 */
#ifndef STORESCP_H
#define STORESCP_H

#include "association.h"

#include <sys/types.h>

/* Returns its pid and in *log the descriptor to read its log lines from; -1 with errno. */
pid_t storescp_start(const struct association *a, int socket, const char *profile, int *log);

#endif
