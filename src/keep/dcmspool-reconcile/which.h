/*
 * which: the names of images that are missing, as far as the tree still knows them: from the other
 * directories of the job, and from their ledgers.
 */
#ifndef WHICH_H
#define WHICH_H

#include "account.h"

/* Adds images: [ names ] to a difference of a job. */
void which_images(const struct account *account, json_t *difference);

#endif
