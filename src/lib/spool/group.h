/*
 * group: the second half of a walk (walk.h): the places that were met, of which some are there no
 * longer, become series.
 */
#ifndef SPOOL_GROUP_H
#define SPOOL_GROUP_H

#include "spool/walk.h"

/* Makes walk->item of walk->place, and sorts it by time. -1 without memory. */
int group_places(const struct spool *spool, struct walk *walk);

#endif
