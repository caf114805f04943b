/*
 * loop: what every program sleeps in: signals, one deadline, and whatever else it waits for. With a
 * watched tree besides: watch_wait(), watch.h.
 */
#ifndef LOOP_H
#define LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop {
	int signals, timer; /* descriptors; signals -1: loop_open_bare() */
	int64_t next_us;    /* the earliest deadline of loop_at(); 0: none */
	bool stopping;      /* SIGTERM or SIGINT came: what it is at is left to others */
	bool ending;        /* SIGQUIT or SIGHUP came: it ends after what it is at */
	bool anew;          /* SIGHUP came: then service_again() */
	bool child_ended;   /* SIGCHLD came; the caller reaps and sets it back */
};

/* Takes over the signals (run_signals()). Dies when it cannot. */
void loop_open(struct loop *loop);
/* Leaves the signals as they are, for programs that simply end by them. */
void loop_open_bare(struct loop *loop);

/* Somebody wants to look again then (microseconds since 1970); of several the earliest is kept, and
 * 0 is none. A look at everything begins with loop_forget(). */
void loop_at(struct loop *loop, int64_t due_us);
void loop_forget(struct loop *loop);

/* Sleeps until a signal, the deadline (0: none; LOOP_NOW: not at all) or something in polled, of
 * which the first LOOP_OWN places are filled here and the others by the caller, as for poll(2):
 *
 *	enum { OUTPUT = LOOP_OWN, POLLED };
 *
 * count includes these places; NULL and 0: nothing else. Signals are noted in loop. Returns true
 * when the deadline has come or the clock was set: deadlines are to be computed anew. Dies when it
 * cannot sleep. */
enum { LOOP_OWN = 2, LOOP_NOW = 1 };
bool loop_poll(struct loop *loop, int64_t due_us, struct pollfd *polled, size_t count);

/* No such signal has come yet. */
bool loop_goes_on(const struct loop *loop);

/* Notes the signals that have come. */
void loop_take_signals(struct loop *loop);

#endif
