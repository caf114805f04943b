/*
 * admit: decides whether a caller may come in, and makes its directory in receiving/.
 *
 * It holds its places (spool/places.h) until this process ends; what a crash left behind, and what
 * was dropped by hand, has none.
 */
#ifndef ADMIT_H
#define ADMIT_H

#include "association.h"
#include "dicom/network/acceptor.h"

/* Fills in a->name and a->dir, and returns NULL; or the refusal. */
const struct acceptor_refusal *admit(struct association *a, const struct caller *caller);

/* What to do about a refusal that is none of the caller's making; NULL: it is as it should be. */
const char *admit_remedy(const struct acceptor_refusal *refusal);

#endif
