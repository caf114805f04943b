/*
 * repair: what the programs do at their start with what others have left, done now.
 */
#ifndef REPAIR_H
#define REPAIR_H

#include <stddef.h>

#include "conf/conf.h"
#include "spool/spool.h"

/* Has dead associations recovered, and the journal told of what has come to rest; says each.
 * Returns how many; failed: something could not be, and was said. */
size_t repair(const struct spool *spool, const struct conf *conf, bool quiet, bool *failed);

#endif
