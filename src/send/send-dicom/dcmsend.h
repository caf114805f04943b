/*
 * dcmsend: one run of DCMTK's dcmsend over some of the images, told by its log while it runs and by
 * its report at its end.
 */
#ifndef DCMSEND_H
#define DCMSEND_H

#include "peer.h"
#include "sender/sender.h"
#include "transcript.h"

#include <stddef.h>

/* So many files are given to one dcmsend: 1,000 names of at most 200 bytes are far from ARG_MAX. */
enum { DCMSEND_MAX_FILES = 1000 };

/* Sends the images with these indices. transcript tells afterwards how it went. Returns dcmsend's
 * exit status as run_wait() has it (the answers do not depend on it), -1 with errno when it could
 * not be started. */
int dcmsend_run(const struct peer *peer, struct sender *sender, const size_t *index, size_t count,
	struct transcript *transcript);

#endif
