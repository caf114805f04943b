#include "base/loop.h"

#include "base/log.h"
#include "base/run.h"
#include "base/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

enum { SIGNALS, TIMER, TREE, POLLED };

void loop_open(struct loop *loop)
{
	*loop = (struct loop){ .signals = run_signals(), .timer = run_timer() };
	if (loop->signals < 0 || loop->timer < 0 || watch_open() < 0)
		die(EXIT_TEMPORARY, "unable to start: %s", strerror(errno));
}

void loop_take_signals(struct loop *loop)
{
	int number;

	while ((number = run_next_signal(loop->signals))) {
		loop->stopping |= number == SIGTERM || number == SIGINT;
		loop->child_ended |= number == SIGCHLD;
	}
}

unsigned int loop_wait(struct loop *loop, int64_t due_us, bool tree)
{
	struct pollfd polled[POLLED] = {
		[SIGNALS] = { .fd = loop->signals, .events = POLLIN },
		[TIMER] = { .fd = loop->timer, .events = POLLIN },
		[TREE] = { .fd = tree ? watch_fd() : -1, .events = POLLIN },
	};
	unsigned int woken = 0;

	if (run_arm(loop->timer, due_us) < 0)
		die(EXIT_TEMPORARY, "unable to set the timer: %s", strerror(errno));
	while (poll(polled, POLLED, -1) < 0)
		if (errno != EINTR)
			die(EXIT_BUG, "unable to poll: %s", strerror(errno));
	if (polled[SIGNALS].revents)
		loop_take_signals(loop);
	if (polled[TIMER].revents) {
		run_disarm(loop->timer);
		woken |= LOOP_DUE;
	}
	if (polled[TREE].revents) {
		watch_drain();
		woken |= LOOP_TREE;
	}
	return woken;
}
