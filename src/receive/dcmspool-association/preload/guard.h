/*
 * guard: what the two files of storescp-write.so know of each other. The object is preloaded into
 * DCMTK's storescp, so its names must not be anybody else's.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stddef.h>

enum { GUARD_FAILED = 111, GUARD_BUG = 101 }; /* as log.h has them */

/* Where messages go, besides those of DCMTK's own logger: a descriptor, -1: nowhere. */
extern int guard_log;

/* A connection is there, on this descriptor: its deadlines begin. */
void guard_begin(int connection);

/* The C library's own function, as bytes of a pointer: C11 has no cast from one to the other. */
void guard_find_next(const char *name, void *function, size_t size);

/* Is this storescp to wait for connections? Asked first, while its standard input is the socket
 * through which they come. */
bool park_is_asked(void);

/* How this process ends, as an exit status; for whoever has handed its connection over. */
void park_tell(int status);

#endif
