#define _DEFAULT_SOURCE /* pidfd_open */
#include "base/capture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/run.h"

/* Kills it when it has not ended in time; then false. */
static bool ends_in_time(pid_t pid, long timeout_ms)
{
	const int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	struct pollfd ended = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int ready = 0;

	while (ended.fd >= 0 && ready == 0 && clock_left_ms(deadline_ms) > 0)
		ready = poll(&ended, 1, clock_left_ms(deadline_ms));
	if (ended.fd >= 0)
		(void)close(ended.fd); /* nothing is written to it */
	if (ready <= 0)
		(void)kill(pid, SIGKILL); /* it may have ended just now */
	return ready > 0;
}

int capture(const char *const argv[], int in, bool both, long timeout_ms, struct buf *out)
{
	struct run run = RUN_DEFAULT;
	int status = -1, saved;
	pid_t pid;
	bool late;

	run.argv = argv;
	run.in = in;
	run.out = memory_file("said", NULL, 0, false);
	if (run.out < 0)
		return -1;
	run.error = both ? run.out : -1;
	pid = run_start(&run);
	saved = errno;
	if (pid >= 0) {
		late = !ends_in_time(pid, timeout_ms);
		status = run_wait(pid);
		saved = late ? ETIMEDOUT : errno;
		status = late ? -1 : status;
		if (memory_read(run.out, out) < 0) {
			saved = errno;
			status = -1;
		}
	}
	(void)close(run.out); /* memory */
	errno = saved;
	return status;
}
