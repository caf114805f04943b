/*
 * held: the files that hold targets, outgoing/<target>/held and outgoing/held. That such a file
 * exists is all that counts; it may be made and removed by hand. What stands in it is for people:
 * since when, who, why. receiving/held holds reception: senders are told to come back.
 */
#ifndef HELD_H
#define HELD_H

#include "spool/spool.h"
#include "base/str.h"

#define HELD_FILE "held"
/* What an operator calls outgoing/held. */
#define HELD_ALL "all"
/* And receiving/held; no target's name begins so. */
#define HELD_RECEIVER "--receiver"
/* What is held, for people: the target's name, "all", "reception". */
const char *held_name(const char *target);

/* Opens the directory in which a target's (or HELD_RECEIVER's) file lies; NULL: that for all. -1
 * with errno. */
int held_open(const struct spool *spool, const char *target);

/* Is there one in this directory? What cannot be looked at counts as held, as the dispatchers see
 * it. */
bool held_is(int dir);
/* For whoever only tells: 1, 0, or -1 with errno. */
int held_exists(int dir);

/* Adds " (what stands in the file)" to text, or nothing when it is empty or cannot be read. */
void held_tell(int dir, struct buf *text);

#endif
