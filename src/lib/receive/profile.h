/*
 * profile: what storescp shall accept in this one association, as a file for its option -xf
 * (DCMTK 3.6.7, dcmnet/docs/asconfig.txt).
 *
 * storescp's own lists know no private SOP classes (with -xf, --promiscuous is not allowed) and not
 * all transfer syntaxes that it can receive. So the profile is made of exactly what the sender
 * proposes: every storage SOP class and Verification, with every transfer syntax that storescp can
 * write to disk (and conf accepts), in the sender's order.
 *
 * A profile has one list of transfer syntaxes for a SOP class, not one per presentation context.
 * When several contexts propose the same SOP class, their lists are merged so that each context's
 * order is kept; where two contexts contradict each other, the earlier one wins. A context is
 * accepted in any case with a syntax that it proposes itself.
 */
#ifndef PROFILE_H
#define PROFILE_H

#include "dicom/network/acceptor.h"
#include "conf/conf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct stand_ins;

/* Writes the profile, named "A". stand_ins: of the request, NULL without any; a context gets one of
 * these only when it proposes nothing else. out->failed when out of memory. Returns how many SOP
 * classes it accepts; it is a valid profile even when that is 0. */
size_t profile_make(const struct acceptor_request *request, enum conf_accept accept,
	const struct stand_ins *stand_ins, struct buf *out);

/* Whether a profile accepts this SOP class. */
bool profile_wants(const char *class);

/* The transfer syntaxes that storescp is able to receive, NULL when there are no more. */
const char *profile_receivable(size_t index);

#endif
