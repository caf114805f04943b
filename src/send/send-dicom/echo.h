/*
 * echo: finds out by a C-ECHO whether the peer can be used.
 */
#ifndef ECHO_H
#define ECHO_H

#include "peer.h"

#include <stdbool.h>
#include <stddef.h>

/* True when it can. Otherwise why says what is wrong, in words. With a job to be tried, a peer that
 * refuses no more than the C-ECHO can be used; the log tells. */
bool echo_ok(const struct peer *peer, bool job, char *why, size_t size);

#endif
