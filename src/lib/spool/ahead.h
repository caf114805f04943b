/*
 * ahead: the files of many items, read before they are asked for. A disk that has to fetch each of
 * them answers many at once about as fast as one: what takes 5 s one after the other takes 0.5 s so
 * (10,000 jobs, measured). What is in memory already is left alone.
 */
#ifndef SPOOL_AHEAD_H
#define SPOOL_AHEAD_H

#include "spool/item.h"

/* Returns when they are in memory, or cannot be had: nothing is promised, nothing told. */
void ahead_read(const struct spool *spool, const struct item *item, size_t count);

#endif
