/*
 * next: many jobs over one connection, the last part of dcmspool-sender(7): when DCMSPOOL_NEXT
 * names a socket, a sender that could go on says so, and gets the next job's list and directory
 * over it.
 */
#ifndef NEXT_H
#define NEXT_H

#include "sender/sender.h"

enum next {
	NEXT_NONE,  /* no more: the caller ends */
	NEXT_JOB,   /* *sender has the list of the next job, and we are in its directory */
	NEXT_INPUT, /* the descriptor to be watched has input, or has ended: look, and call again */
};

/* After the last answer of a job: says that it is through with it, and waits. Without a dispatcher,
 * or when images are left without an answer, there is nothing to wait for. watch: -1 for none. */
enum next next_wait(struct sender *sender, int watch);

#endif
