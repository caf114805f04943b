/*
 * chain: the sender's process. It is started for a job; one that says `ready` waits with its
 * connection for the next job of its target (dcmspool-sender(7)), which is chosen as always.
 *
 * While it waits its job has left sending/, and nothing there tells that it has a connection. So it
 * holds a byte of .idle locked, and counts for max_connections with everybody.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct claimed;
struct conf_target;
struct dispatcher;

struct chain {
	pid_t pid;                        /* 0: there is no sender */
	int out;                          /* its standard output */
	int next;                         /* our end of DCMSPOOL_NEXT; -1: it has none */
	int idle;                         /* .idle, with our lock while it waits; -1: not yet */
	const struct conf_target *target; /* of the one that waits, else NULL */
	int jobs;                         /* so many it has had */
	int64_t until_ms;                 /* then it gets no more */
};

/* Starts a sender with a list of images, or (list < 0) as a probe. One that waited is ended before.
 * -1 with errno. */
int chain_start(struct dispatcher *dispatcher, const struct claimed *job, int list);
/* Gives the job to the sender that waits, if one does and may have it. */
bool chain_hand(struct dispatcher *dispatcher, const struct claimed *job, int list);
/* The sender is ready: it waits. That of a batch that grows counts by its entry in sending/. */
void chain_keep(struct dispatcher *dispatcher, const struct claimed *job);

/* Has the sender ended? It is still to be waited for. */
bool chain_has_ended(const struct chain *chain);
/* Tells it to end after the image it is at, dcmspool-sender(7). */
void chain_stop(const struct chain *chain);
/* Ends it if it has not, and waits for it. Returns its run_status(). */
int chain_kill(struct dispatcher *dispatcher);
/* Lets one that waits release its connection. */
void chain_end(struct dispatcher *dispatcher);

/* How many other dispatchers' senders wait with a connection to the target. */
long chain_others(const struct dispatcher *dispatcher, const struct conf_target *target);

#endif
