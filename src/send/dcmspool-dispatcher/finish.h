/*
 * finish: where a job goes when an attempt is over.
 */
#ifndef FINISH_H
#define FINISH_H

#include "attempt.h"

struct dispatcher;

/* All of these: -1 with errno; the job is where it was. */

/* Brings the job to success/ or error/ or splits it, when every image is stored or given up. */
int finish_done(struct dispatcher *dispatcher, struct attempt *attempt);
/* A directory without images is no job: made by hand, it goes to error/. */
int finish_empty(struct dispatcher *dispatcher, struct attempt *attempt);
/* Brings the job to discard/, as `dcmspool cancel` asked. */
int finish_cancelled(struct dispatcher *dispatcher, struct attempt *attempt);
/* Puts the job back into outgoing/, to go at once, or as attempt->retry says. */
int finish_back(struct attempt *attempt);
int finish_later(struct attempt *attempt);

#endif
