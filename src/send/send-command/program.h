/*
 * program: one run of the user's program, with a deadline.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "base/loop.h"

#include <stdbool.h>

struct program {
	const char **argv; /* argv[0]: an absolute path; a place for one more is free */
	int argc;
	const char *const *environment; /* added to ours */
	long timeout_s;
	struct loop loop;
};

struct program_end {
	bool in_time;   /* else it was killed, with all its descendants */
	int status;     /* as run_wait() has it */
	char text[400]; /* the last line of its standard error, "" */
};

/* Must be called once before: descendants of programs become ours when their parents end, so that
 * none escapes us. Returns -1 with errno. */
int program_prepare(struct program *program);

/* Runs it to its end: in is its standard input (-1: /dev/null), last one more argument (may be
 * NULL). Logs what it writes to standard error. Returns -1 with errno when it could not be
 * started. */
int program_run(struct program *program, int in, const char *last, struct program_end *end);

#endif
