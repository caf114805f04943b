/*
 * over: the chosen images over one association, each answered as soon as the target has answered.
 *
 * While an image is under way SIGTERM waits (sender/stop.h). When the association ends at one, it
 * waits on: the caller tells what became of that image, and calls stop_let().
 */
#ifndef OVER_H
#define OVER_H

#include "image.h"
#include "offer.h"
#include "peer.h"

#include <stdbool.h>

struct over {
	struct association association;
	struct offer offer;
	const struct peer *peer;
	struct images *images;
	bool called;      /* to be closed */
	bool open;        /* there was an association: what is wrong later is not the call's */
	long current;     /* the image at which it ended, -1: between two, or at none */
	size_t responses; /* so many images the target has answered */
	size_t most;      /* it is asked for no more than so many; 0: all */
};

/* Sends what offer_make() has chosen, over the association that there is if that serves the wanted
 * offer, else over a new one; association.trouble tells how it ended. */
void over_send(struct over *over, const struct offer *wanted, const struct peer *peer,
	struct images *images);
/* Releases the association, or aborts what is left of it. */
void over_close(struct over *over);

#endif
