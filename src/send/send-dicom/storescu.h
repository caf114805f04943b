/*
 * storescu: one run of DCMTK's storescu over some of the images: for TLS, which dcmsend does not
 * know (DCMTK 3.6.7). Told by its log, which has for each image what dcmsend's has.
 */
#ifndef STORESCU_H
#define STORESCU_H

#include "peer.h"
#include "sender/sender.h"
#include "transcript.h"

#include <stddef.h>

/* As dcmsend_run(). When the images need more presentation contexts than an association has, those
 * that come last are left for another run. */
int storescu_run(const struct peer *peer, struct sender *sender, const size_t *index, size_t count,
	struct transcript *transcript);

#endif
