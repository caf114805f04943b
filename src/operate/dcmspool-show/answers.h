/*
 * answers: what a target said to each image of a job.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <jansson.h>
#include <stdbool.h>

/* answers: as known.h has them. The last one of each image counts. all: one line for each image;
 * else one for each kind of answer, with the images' number, and the name where it is only one. */
void answers_tell(const json_t *answers, unsigned margin, unsigned indent, bool all);

#endif
