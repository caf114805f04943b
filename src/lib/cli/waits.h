/*
 * waits: what keeps a series from going on, in words. It is what dispatchers and routers go by
 * (STATES.md 4 and 5), looked at from outside and without their locks: a hint for people.
 */
#ifndef CLI_WAITS_H
#define CLI_WAITS_H

#include "base/disk.h"
#include "conf/conf.h"
#include "spool/walk.h"

/* Adds a line for each reason, the strongest first; none for what is at rest or being worked at.
 * walk: the whole tree. -1 without memory. */
int waits_for(const struct conf *conf, const struct spool *spool, struct walk *walk,
	struct item *item, const struct place *place, struct disk_names *out);

#endif
