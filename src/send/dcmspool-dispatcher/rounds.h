/*
 * rounds: a job may take several runs of its sender: what broke off after an answer goes on at
 * once; an image at which the target broke is tried last, and alone.
 */
#ifndef ROUNDS_H
#define ROUNDS_H

#include "attempt.h"
#include "blame.h"
#include "sending.h"

struct dispatcher;

/* Sends until nothing is left that may be sent now, or somebody is to blame, who stands in *blame.
 * -1 with errno. */
int rounds_send(struct dispatcher *dispatcher, struct attempt *attempt, struct outcome *outcome,
	enum blame *blame);

/* Whose failure the run of a sender was. */
enum blame rounds_blame(const struct attempt *attempt, const struct outcome *outcome);

#endif
