/*
 * places: how many may be connected at once. A place is a byte of .places in the spool, locked by
 * whoever has it. Nobody waits for anybody: a process that is stopped keeps its places, no more.
 *
 * The locks are OFD locks (fcntl(2)): they belong to the open file and end with its last
 * descriptor. A child must not inherit it, or it has them as well.
 */
#ifndef PLACES_H
#define PLACES_H

#include "spool/spool.h"

/* The open file, or -1 with errno. */
int places_open(const struct spool *spool);

enum { PLACES_MAX = 1 << 14 };
/* Takes one of the count places of that name, at most PLACES_MAX. -1 with errno; EAGAIN: all are
 * taken. Names of the same hash (32 bits) would share theirs. */
int places_take(int places, const char *name, long count);

#endif
