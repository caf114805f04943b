/*
 * resolve: the addresses of a host, asked for with a deadline, which getaddrinfo(3) does not have.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include <netdb.h>
#include <stddef.h>
#include <stdint.h>

/* Returns NULL with *all, which the caller frees (freeaddrinfo(3)); or why there is none, in words,
 * of which those that are not fixed are put into why. */
const char *resolve(const char *host, const char *port, int64_t timeout_ms, struct addrinfo **all,
	char *why, size_t size);

#endif
