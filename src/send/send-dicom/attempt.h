/*
 * attempt: sends images until each has its answer or the target is given up:
 *  - no association: the target is down; nothing has cost anything;
 *  - the association breaks while an image is being sent: that image goes to the end of the line
 * and the others are tried in a new association. If they get through and it breaks again at that
 * same image, the image is to blame and fails; if nothing gets through, the target is down;
 *  - it ends between two images: nobody is to blame, the next one goes over a new association.
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
};

/* Over one association after the other. Ends when all images have their answer or the target is
 * given up, which it then has written. An image's setbacks, which may be there already, tell how
 * often an association broke at it. Without blame, the target is given up instead of an image. */
void attempt_all(
	struct attempt *attempt, struct sender *sender, const struct peer *peer, bool blame);

/* The same over several associations at once, each with its own share of the images and of the
 * rate. A target that refuses some of them, or breaks them off, is given up only when one alone
 * fails as well, and an image that alone was left to one of them is blamed only then. */
void attempt_parallel(struct attempt *attempt, struct sender *sender, const struct peer *peer);

/* Between two jobs: the descriptor of the association, -1 without one; what to do when it has
 * input; and ending it, because the next job is for somebody else. */
int attempt_watch(const struct attempt *attempt);
void attempt_idle(struct attempt *attempt);
void attempt_drop(struct attempt *attempt);

/* Releases the association and frees. */
void attempt_end(struct attempt *attempt);

#endif
