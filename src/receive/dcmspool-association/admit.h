/*
 * admit: decides whether a caller may come in, and makes its directory in receiving/.
 *
 * Counting and making happen under a lock on receiving/ itself, so that callers who arrive together
 * cannot all be the last one allowed. An association counts while its directory is locked; what a
 * crash left behind does not.
 */
#ifndef ADMIT_H
#define ADMIT_H

#include "association.h"
#include "dicom/network/acceptor.h"

/* Fills in a->name and a->dir, and returns NULL; or the refusal. */
const struct acceptor_refusal *admit(struct association *a, const struct caller *caller);

#endif
