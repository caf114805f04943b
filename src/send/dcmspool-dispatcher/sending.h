/*
 * sending: runs the sender of a target's type on the images that the ledger lacks;
 * dcmspool-sender(7) is the contract between the two.
 */
#ifndef SENDING_H
#define SENDING_H

#include <stdbool.h>

#include "attempt.h"

struct dispatcher;

/* How a run of the sender ended. */
struct outcome {
	int status;          /* its exit status; 0 also when nothing was to be sent */
	bool handed;         /* it was a sender that had had other jobs before */
	char reason[256];    /* why the target as a whole failed; "" when it did not say */
	char own_fault[128]; /* why it could not be run, "" if it was: neither the target nor an
			      * image is at fault */
};

/* Runs the sender on the images that are listed; each answer goes to the ledger as it comes. -1
 * with errno when that cannot be gone on with. */
int sending_images(struct dispatcher *dispatcher, struct attempt *attempt, struct outcome *outcome);
/* The same for the question whether the target can be used; status 0 also when its sender cannot
 * tell. */
int sending_probe(struct dispatcher *dispatcher, struct attempt *attempt, struct outcome *outcome);

#endif
