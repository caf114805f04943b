/*
 * order: whether a job may go. Within a study and a priority, jobs go in the order of arrival
 * (which is that of their names) or of their SeriesNumber; whatever the priority, one after the
 * other.
 */
#ifndef ORDER_H
#define ORDER_H

#include "queue.h"

/* The one of its study and priority that goes before all others of it; NULL: it cannot be known
 * now. */
struct waiting *order_head(
	struct dispatcher *dispatcher, struct queue *queue, struct waiting *waiting);

/* May this one go now? If not, and a time or an event will tell, it is waited for; or the upstream
 * is to be looked at first (upstream.h, wanted_us). */
bool order_may_go(struct dispatcher *dispatcher, struct queue *queue, struct waiting *waiting);

#endif
