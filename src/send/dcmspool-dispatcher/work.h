/*
 * work: a claimed job, from its claim to where it goes.
 */
#ifndef WORK_H
#define WORK_H

#include "attempt.h"
#include "blame.h"
#include "sending.h"

struct dispatcher;

/* Sends what is to be sent and brings the job where it belongs. */
void work_run(struct dispatcher *dispatcher, struct claimed *claimed);

/* Puts the job back because of a failure that is not its images': BLAME_TARGET and what is behind
 * it. -1 with errno. */
int work_put_off(struct dispatcher *dispatcher, struct attempt *attempt,
	const struct outcome *outcome, enum blame blame);

#endif
