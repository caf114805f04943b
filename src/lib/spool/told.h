/*
 * told: .told in a directory that has come to rest (success/, discard/, error/): the journal has
 * its last line, on the disk. Whoever finds a directory without it writes the line once
 * more (again) and then makes it. So twice is possible, and never is not. dcmspool-journal(5).
 */
#ifndef SPOOL_TOLD_H
#define SPOOL_TOLD_H

#include "spool/spool.h"

/* dir: the directory at rest. 1: the journal knows, 0: it may not, -1 with errno. */
int told_is(int dir);
/* Brings the line to the disk and says so. -1 with errno: the line is written again some time,
 * which does no harm. */
int told_set(const struct spool *spool, int dir);

#endif
