#define _GNU_SOURCE /* O_TMPFILE, pipe2 */
#include "convert.h"

#include "base/run.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_S = 600, SIGNALLED = 128 };

static int nameless(void)
{
	const char *directory = getenv("TMPDIR");

	return open(directory && *directory ? directory : "/var/tmp",
		O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What the tool says on standard error: its last line that is an error, without its level. It is
 * ended when it takes too long. */
static void listen_to(int fd, pid_t pid, char *why, size_t size)
{
	const int64_t deadline = now_ms() + LONGEST_S * 1000;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char line[256], c;
	size_t n = 0;
	int64_t left;

	for (;;) {
		left = deadline - now_ms();
		if (left <= 0 || poll(&p, 1, (int)left) == 0) {
			(void)kill(pid, SIGKILL); /* ours, and not waited for yet */
			(void)snprintf(why, size, "it takes longer than %d s", LONGEST_S);
			return;
		}
		if (read(fd, &c, 1) <= 0)
			return;
		if (c != '\n') {
			line[n] = c;
			n += n < sizeof(line) - 1;
			continue;
		}
		line[n] = '\0';
		n = 0;
		if (strncmp(line, "E: ", 3) == 0 || strncmp(line, "F: ", 3) == 0) {
			text_clean(line);
			(void)snprintf(why, size, "%s", line + 3);
		}
	}
}

/* Runs the tool. Returns its exit status, -1 with errno when it could not be started. */
static int run_tool(const char *const *argv, int copy, char *why, size_t size)
{
	struct run run = RUN_DEFAULT;
	int errors[2], saved;
	pid_t pid;

	if (pipe2(errors, O_CLOEXEC) < 0)
		return -1;
	run.argv = argv;
	run.error = errors[1];
	run.keep = copy;
	pid = run_start(&run);
	saved = errno;
	(void)close(errors[1]); /* the child's alone now, so that its end is our end of file */
	if (pid > 0)
		listen_to(errors[0], pid, why, size);
	(void)close(errors[0]); /* a pipe */
	errno = saved;
	return pid > 0 ? run_wait(pid) : -1;
}

int convert(
	const char *tool, const char *option, const char *image, int *ours, char *why, size_t size)
{
	int copy = nameless(), result;
	char path[32];
	const char *const argv[] = { tool, option, image, path, NULL };

	*ours = 1;
	if (copy < 0) {
		(void)snprintf(why, size, "unable to make a temporary file: %s", strerror(errno));
		return -1;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", copy);
	why[0] = '\0';
	result = run_tool(argv, copy, why, size);
	if (result == 0)
		return copy;
	if (result < 0)
		(void)snprintf(why, size, "unable to run %s: %s", tool, strerror(errno));
	else
		*ours = result == SIGNALLED + SIGKILL; /* not for want of memory */
	if (!why[0])
		(void)snprintf(why, size, "%s ended with status %d", tool, result);
	(void)close(copy); /* nameless */
	return -1;
}
