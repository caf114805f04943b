/*
 * attempt: sends images until each has its line, or there is no use in going on:
 *  - no association: the target's failure; nothing has cost anything;
 *  - the association ends between two images: the others go over a new one;
 *  - it ends while an image is being sent: that image is in doubt, and the others go over a new
 * one, if this one brought an answer to any, with no more images than it has answered. Whose
 * failure it is, the dispatcher decides (dcmspool-sender(7)).
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "image.h"
#include "over.h"
#include "peer.h"
#include "sender/sender.h"

#include <stdbool.h>

/* Begins as { 0 }. Between two jobs it keeps its association. */
struct attempt {
	struct images images;
	struct over over;
	int well; /* associations in a row, with over.most, that ended by themselves */
};

/* Over one association after the other. */
void attempt_all(struct attempt *attempt, struct sender *sender, const struct peer *peer);

/* The same over several associations at once, each with its own share of the images and of the
 * rate. When the target refuses some of them, what they have left goes over a single one. */
void attempt_parallel(struct attempt *attempt, struct sender *sender, const struct peer *peer);

/* Between two jobs: the descriptor of the association, -1 without one; what to do when it has
 * input; and ending it, because the next job is for somebody else. */
int attempt_watch(const struct attempt *attempt);
void attempt_idle(struct attempt *attempt);
void attempt_drop(struct attempt *attempt);

/* Releases the association and frees. */
void attempt_end(struct attempt *attempt);

#endif
