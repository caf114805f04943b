#define _GNU_SOURCE /* pipe2 */
#include "program.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the program says, cut into lines. */
struct talk {
	const char *name;
	int fd;
	char line[400]; /* the rest of a longer one is dropped */
	size_t length;
	struct program_end *end;
};

int program_prepare(struct program *program)
{
	loop_open_bare(&program->loop);
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void end_line(struct talk *t)
{
	t->line[t->length] = '\0';
	if (t->length > 0) {
		log_info("%s: %s", t->name, t->line);
		memcpy(t->end->text, t->line, t->length + 1);
	}
	t->length = 0;
}

/* Takes what is there to be read. Returns false at the end. */
static bool listen_to(struct talk *t)
{
	char data[4096];
	ssize_t n = read(t->fd, data, sizeof(data));

	if (n < 0)
		return errno == EINTR;
	for (ssize_t i = 0; i < n; i++) {
		if (data[i] == '\n')
			end_line(t);
		else if (t->length < sizeof(t->line) - 1)
			t->line[t->length++] = data[i];
	}
	return n > 0;
}

/* Until the program has ended; that somebody still has its standard error does not count. Returns
 * false when it has not by then. */
static bool follow(struct loop *loop, struct talk *t, int program, int64_t deadline_ms)
{
	enum { PROGRAM = LOOP_OWN, TEXT, POLLED };
	struct pollfd polled[POLLED] = {
		[PROGRAM] = { .fd = program, .events = POLLIN },
		[TEXT] = { .fd = t->fd, .events = POLLIN },
	};

	for (;;) {
		bool ended = polled[PROGRAM].revents != 0;

		if (clock_left_ms(deadline_ms) == 0)
			return ended; /* a child of its may talk for ever */
		(void)loop_poll(loop, clock_wall_us(deadline_ms), polled, POLLED);
		if (polled[TEXT].revents && !listen_to(t))
			polled[TEXT].fd = -1;
		else if (ended && !polled[TEXT].revents)
			return true;
	}
}

/* Kills each of our children, as the kernel lists them. */
static int kill_children(void)
{
	char path[64];
	FILE *list;
	int pid;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%ld/children", (long)getpid());
	list = fopen(path, "re");
	if (!list) {
		log_error("unable to read %s: %s; what the program has started goes on", path,
			strerror(errno));
		return -1;
	}
	while (fscanf(list, "%d", &pid) == 1)
		(void)kill(pid, SIGKILL); /* it may be gone already */
	(void)fclose(list);               /* only read */
	return 0;
}

/* The program, and each descendant: it becomes our child when its parent ends, before that is
 * reaped. */
static void kill_all(pid_t pid)
{
	(void)kill(pid, SIGKILL); /* it may be gone already */
	do {
		if (kill_children() < 0) {
			(void)run_wait(pid); /* it was killed */
			return;
		}
	} while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

/* From the program's start to its end. Returns -1 with errno when it cannot be watched; it is
 * killed then. */
static int attend(struct program *program, pid_t pid, struct talk *t)
{
	int64_t deadline_ms = clock_monotonic_ms() + program->timeout_s * INT64_C(1000);
	int fd = pidfd_open(pid, 0), saved = errno;

	t->end->in_time = fd >= 0 && follow(&program->loop, t, fd, deadline_ms);
	if (t->end->in_time)
		t->end->status = run_wait(pid);
	else
		kill_all(pid);
	if (fd >= 0)
		(void)close(fd);
	errno = saved;
	return fd < 0 ? -1 : 0;
}

int program_run(struct program *program, int in, const char *last, struct program_end *end)
{
	struct talk talk = { .name = program->argv[0], .fd = -1, .end = end };
	struct run run = RUN_DEFAULT;
	int text[2], null, saved, result = -1;
	pid_t pid = -1;

	*end = (struct program_end){ 0 };
	if (pipe2(text, O_CLOEXEC) < 0)
		return -1;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	program->argv[program->argc] = last;
	run.argv = program->argv;
	run.environment = program->environment;
	run.in = in;
	run.out = null;
	run.error = text[1];
	if (null >= 0)
		pid = run_start(&run);
	saved = errno;
	(void)close(text[1]); /* the program's, now */
	if (null >= 0)
		(void)close(null);
	if (pid > 0) {
		talk.fd = text[0];
		result = attend(program, pid, &talk);
		saved = errno;
		end_line(&talk);
	}
	(void)close(text[0]); /* only read */
	errno = saved;
	return result;
}
