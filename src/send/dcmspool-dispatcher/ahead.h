/*
 * ahead: sends the images of a batch as they come, A2 and A3 of STATES.md 5a.
 */
#ifndef AHEAD_H
#define AHEAD_H

#include "attempt.h"

struct dispatcher;

/* Sends what is there and what comes, until nothing does for a while, or something speaks against
 * it; then puts the entry back into its queue. -1 with errno: it is where it was. */
int ahead_send(struct dispatcher *dispatcher, struct attempt *attempt);

/* A job begins: what was sent of it ahead goes into its ledger. -1 with errno. */
int ahead_take_over(const struct claimed *job);

#endif
