/*
 * again: a job that had come to rest, "<job>.<target>", was moved into a queue by hand: it is to be
 * sent again. STATES.md 6.
 */
#ifndef AGAIN_H
#define AGAIN_H

#include "queue.h"

/* Makes jobs of all that lie in the queue under such names, which are jobs like others then. True
 * when there were some: the queue is to be looked at anew. */
bool again_all(struct dispatcher *dispatcher, const struct queue *queue);

#endif
