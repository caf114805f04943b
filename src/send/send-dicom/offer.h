/*
 * offer: which images go over the next association, and the presentation contexts for them: one for
 * each pair of SOP class and transfer syntax, and for each fallback one of its own, or the target
 * would choose for us.
 */
#ifndef OFFER_H
#define OFFER_H

#include "dicom/network/associate.h"
#include "image.h"
#include "syntax.h"

#include <stddef.h>

struct offer {
	struct associate_proposal proposal[WIRE_CONTEXTS];
	size_t count;  /* of proposals */
	size_t images; /* chosen */
};

/* Chooses among the images without an answer as many as 128 contexts allow. Images that cannot be
 * sent are answered. */
void offer_make(struct offer *offer, struct images *images, enum syntax_decompress decompress);

/* True when an association with the contexts of one serves the other. */
bool offer_covers(const struct offer *offer, const struct offer *wanted);

/* The index of a context, or -1. */
long offer_find(const struct offer *offer, const char *sop_class, const char *syntax);

#endif
