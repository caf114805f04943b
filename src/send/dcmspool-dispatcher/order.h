/*
 * order: whether a job may go. Within a study and a priority, jobs go in the order of arrival
 * (which is that of their names) or of their SeriesNumber; whatever the priority, one after the
 * other.
 */
#ifndef ORDER_H
#define ORDER_H

#include "queue.h"

/* May the i-th waiting job go now? If not, and a time or an event will tell, it is waited for. */
bool order_may_go(struct dispatcher *dispatcher, struct queue *queue, size_t i);

#endif
