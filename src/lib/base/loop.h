/*
 * loop: what every watcher waits for: signals, one deadline, and the watched tree.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop {
	int signals, timer; /* descriptors */
	bool stopping;      /* SIGTERM or SIGINT came */
	bool child_ended;   /* SIGCHLD came; the caller reaps and sets it back */
};

enum { LOOP_DUE = 1, LOOP_TREE = 2 };

/* Takes over the signals and starts watch.h; dies when it cannot. */
void loop_open(struct loop *loop);

/* Sleeps until a signal, the deadline (microseconds since 1970; 0: none), or, if tree is set, an
 * event in the watched tree. Returns which of LOOP_DUE and LOOP_TREE it was; signals are noted in
 * loop. */
unsigned int loop_wait(struct loop *loop, int64_t due_us, bool tree);

/* Notes the signals that have come. */
void loop_take_signals(struct loop *loop);

#endif
