/*
 * attempt: what the working files share: a claimed job, its images, and how often its target failed
 * at it.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "answers.h"
#include "claim.h"
#include "spool/retry.h"

struct attempt {
	struct claimed *claimed;
	struct answers answers;
	struct retry retry;
	int alone_broken; /* images that were alone when the target broke */
};

#endif
