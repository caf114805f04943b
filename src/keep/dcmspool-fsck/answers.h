/*
 * answers: does a job hold the images that its ledger speaks of?
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <jansson.h>

#include "base/disk.h"
#include "look.h"

/* The last word about each image, of one target or (NULL) any: an object, name: true when it was
 * stored. The caller decrefs. Dies without memory. */
json_t *answers_load(int job, const char *target);

void answers_check(struct look *look, enum state_place place, int dir, const char *path,
	const struct disk_names *names);

#endif
