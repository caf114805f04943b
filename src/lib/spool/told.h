/*
 * told: .told in a directory that has come to rest (success/, discard/, error/): the journal has
 * its last line. Made after the line; whoever finds a directory without it writes the line once
 * more (again) and then makes it. So twice is possible, and never is not. dcmspool-journal(5).
 */
#ifndef SPOOL_TOLD_H
#define SPOOL_TOLD_H

/* dir: the directory at rest. 1: the journal knows, 0: it may not, -1 with errno. */
int told_is(int dir);
/* Says so. -1 with errno: the line is written again some time, which does no harm. */
int told_set(int dir);

#endif
