/*
 * handed: sockets that listen already when the receiver starts: of systemd, through `dcmspool up`,
 * and its own of before, when it begins anew. So no caller is refused meanwhile: the kernel keeps
 * them waiting.
 *
 * DCMSPOOL_SOCKETS has their descriptors: "3 4 own:5".
 */
#ifndef HANDED_H
#define HANDED_H

#include "listen.h"

#include <netdb.h>

/* Takes those that fit the configuration into listeners, which have room for them. The port of one
 * from outside must be configured; which addresses it listens on is the affair of whoever opened
 * it. One of ours must be configured as it is. Others are closed, and that is told unless it is
 * only tried. */
void handed_take(const struct conf_receiver *conf, struct listeners *listeners, bool only_try);

/* How many may have been handed over. */
size_t handed_count(void);

/* Is there one already that gets who calls this address? */
bool handed_covers(const struct listeners *listeners, const struct addrinfo *address);

/* All listeners are there after service_again(). */
void handed_leave(const struct listeners *listeners);

#endif
