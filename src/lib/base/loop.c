#include "base/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/run.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { SIGNALS, TIMER };

void loop_open(struct loop *loop)
{
	loop_open_bare(loop);
	loop->signals = run_signals();
	if (loop->signals < 0)
		die(EXIT_TEMPORARY, "unable to take signals: %s", strerror(errno));
}

void loop_open_bare(struct loop *loop)
{
	*loop = (struct loop){ .signals = -1, .timer = run_timer() };
	if (loop->timer < 0)
		die(EXIT_TEMPORARY, "unable to make a timer: %s", strerror(errno));
}

void loop_at(struct loop *loop, int64_t due_us)
{
	loop->next_us = clock_earlier(loop->next_us, due_us);
}

void loop_forget(struct loop *loop)
{
	loop->next_us = 0;
}

bool loop_goes_on(const struct loop *loop)
{
	return !loop->stopping && !loop->ending;
}

void loop_take_signals(struct loop *loop)
{
	int number;

	while ((number = run_next_signal(loop->signals))) {
		loop->stopping |= number == SIGTERM || number == SIGINT;
		loop->ending |= number == SIGQUIT || number == SIGHUP;
		loop->anew |= number == SIGHUP;
		loop->child_ended |= number == SIGCHLD;
	}
}

bool loop_poll(struct loop *loop, int64_t due_us, struct pollfd *polled, size_t count)
{
	struct pollfd own[LOOP_OWN];
	int armed = run_arm(loop->timer, due_us);

	if (armed < 0)
		die(EXIT_TEMPORARY, "unable to set the timer: %s", strerror(errno));
	if (!polled) {
		polled = own;
		count = LOOP_OWN;
	}
	polled[SIGNALS] = (struct pollfd){ .fd = loop->signals, .events = POLLIN };
	polled[TIMER] = (struct pollfd){ .fd = loop->timer, .events = POLLIN };
	while (poll(polled, count, armed == RUN_CLOCK_SET ? 0 : -1) < 0)
		if (errno != EINTR)
			die(EXIT_BUG, "unable to poll: %s", strerror(errno));
	if (polled[SIGNALS].revents)
		loop_take_signals(loop);
	if (polled[TIMER].revents)
		run_disarm(loop->timer);
	return polled[TIMER].revents || armed == RUN_CLOCK_SET;
}
