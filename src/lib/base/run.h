/*
 * run: child processes. Never a shell; every child dies with its parent (PR_SET_PDEATHSIG), for
 * which posix_spawn(3) has no attribute. So this is what it is made of, vfork(2): fork(2) copies
 * the tables of all our memory, and a dispatcher that knows of 100,000 jobs took four times as long
 * to start a sender.
 */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct run {
	const char *const *argv; /* argv[0]: a path with '/', or a name looked up in PATH */
	const char *const
		*environment; /* "NAME=value" added to ours, ends with NULL; may be NULL */
	int in, out, error;   /* descriptors for 0, 1, 2; -1: /dev/null for 0, ours for 1 and 2 */
	int keep;             /* one more descriptor to be inherited under its number; -1: none */
	int directory;        /* working directory; -1: ours */
	int survive;          /* 1: the child does not die with its parent */
};
#define RUN_DEFAULT                                                                                \
	{                                                                                          \
		.in = -1, .out = -1, .error = -1, .keep = -1, .directory = -1                      \
	}

/* Starts the child with all signals unblocked and at their defaults. Returns its pid or -1. */
pid_t run_start(const struct run *run);

/* A child that goes on in this program, under another name, instead of in another program. Of all
 * descriptors it has 0, 1, 2 and these: what it must not hold (locks, connections, the end of a
 * pipe) is not told by O_CLOEXEC. in: its 0. Signals are as in run_start(). Returns as fork(2). */
pid_t run_fork(const char *name, int in, const int *keep, size_t count, bool survive);

/* What waitpid(2) tells of an end, as one number: the exit status, or RUN_SIGNALLED + the number of
 * the signal. */
enum { RUN_SIGNALLED = 128 };
int run_status(int waited);

/* Waits for one child and returns its run_status(); -1 on error. */
int run_wait(pid_t pid);

/* The path of a program or file that lives beside the running program ("getdcmtags",
 * "storescp.dic"), in memory that the caller frees; NULL on error. */
char *run_beside(const char *name);

/* Blocks TERM, INT, QUIT, HUP and CHLD and returns a non-blocking signalfd(2) for them. Ignores
 * PIPE. */
int run_signals(void);
/* The next signal of run_signals()' descriptor, or 0. */
int run_next_signal(int fd);

/* A timerfd(2) on CLOCK_REALTIME; run_arm() sets its one deadline in microseconds since 1970 (0:
 * none). A clock that is set wakes it as well, so that deadlines are computed anew; when that has
 * happened since the last time, the timer is armed and run_arm() returns RUN_CLOCK_SET. */
enum { RUN_CLOCK_SET = 1 };
int run_timer(void);
int run_arm(int fd, int64_t deadline_us);
/* Forgets an expiry that poll(2) reported. */
void run_disarm(int fd);

#endif
