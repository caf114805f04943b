/*
 * echo: finds out by a C-ECHO whether the peer can be used.
 */
#ifndef ECHO_H
#define ECHO_H

#include "peer.h"

#include <stdbool.h>
#include <stddef.h>

/* True when it can. Otherwise why says what is wrong, in words. */
bool echo_ok(const struct peer *peer, char *why, size_t size);

#endif
