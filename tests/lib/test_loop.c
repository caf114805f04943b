/* loop: deadlines, signals and descriptors end a sleep, and a clock that is set harms nothing.
 * run: an armed timer. */
#define _GNU_SOURCE /* SYS_timerfd_settime */
#include "base/clock.h"
#include "base/loop.h"
#include "base/run.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

static bool clock_was_set;

/* In the C library's place: arms the timer and, as the kernel does when the clock was set, fails.
 */
int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	long result = syscall(SYS_timerfd_settime, fd, flags, new, old);

	if (result < 0 || !clock_was_set)
		return (int)result;
	clock_was_set = false;
	errno = ECANCELED;
	return -1;
}

static int64_t soon_us(void)
{
	return clock_now_us() + 20000;
}

static void test_deadlines(struct loop *loop)
{
	int64_t due_us = soon_us();

	ok(loop_poll(loop, due_us, NULL, 0) && clock_now_us() >= due_us, "a deadline comes");
	ok(loop_poll(loop, LOOP_NOW, NULL, 0), "one that has passed ends the sleep at once");
	loop_at(loop, 0);
	ok(loop->next_us == 0, "none was asked for");
	loop_at(loop, 20);
	loop_at(loop, 0);
	loop_at(loop, 10);
	loop_at(loop, 30);
	ok(loop->next_us == 10, "the earliest is kept");
	loop_forget(loop);
	ok(loop->next_us == 0, "and forgotten");
}

static void test_clock(struct loop *loop)
{
	int64_t due_us;

	clock_was_set = true;
	ok(run_arm(loop->timer, soon_us()) == RUN_CLOCK_SET, "the clock was set: that is told");
	due_us = soon_us();
	ok(run_arm(loop->timer, due_us) == 0, "once");
	clock_was_set = true;
	ok(loop_poll(loop, clock_now_us() + INT64_C(3600000000), NULL, 0),
		"the clock was set: deadlines are to be computed anew");
	clock_was_set = true;
	ok(run_arm(loop->timer, due_us) == RUN_CLOCK_SET &&
			poll(&(struct pollfd){ .fd = loop->timer, .events = POLLIN }, 1, 5000) == 1,
		"the timer is armed all the same");
	run_disarm(loop->timer);
	ok(run_arm(-1, 0) < 0 && errno == EBADF, "any other failure is one");
}

static void test_descriptors(struct loop *loop)
{
	enum { OUTPUT = LOOP_OWN, SILENT, POLLED };
	struct pollfd polled[POLLED] = {
		[OUTPUT] = { .events = POLLIN }, [SILENT] = { .fd = -1, .events = POLLIN }
	};
	int pipes[2];

	if (pipe(pipes) < 0 || write(pipes[1], "x", 1) != 1)
		return;
	polled[OUTPUT].fd = pipes[0];
	ok(!loop_poll(loop, 0, polled, POLLED) && polled[OUTPUT].revents && !polled[SILENT].revents,
		"a descriptor of the caller's ends the sleep");
	polled[OUTPUT].fd = -1;
	ok(loop_poll(loop, soon_us(), polled, POLLED) && !polled[OUTPUT].revents,
		"one that was taken out does not");
}

static void test_signals(struct loop *loop)
{
	(void)kill(getpid(), SIGCHLD);
	ok(!loop_poll(loop, 0, NULL, 0) && loop->child_ended && !loop->stopping, "a child's end");
	(void)kill(getpid(), SIGTERM);
	ok(!loop_poll(loop, 0, NULL, 0) && loop->stopping, "SIGTERM stops");
}

int main(void)
{
	struct loop loop;

	loop_open_bare(&loop);
	test_deadlines(&loop);
	test_clock(&loop);
	test_descriptors(&loop);
	loop_open(&loop);
	test_deadlines(&loop);
	test_signals(&loop);
	return tap_done();
}
