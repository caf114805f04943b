#include "sender/stop.h"

#include <signal.h>
#include <stddef.h>

static const int numbers[] = { SIGTERM, SIGINT };
enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

static const pid_t *volatile children;
static volatile size_t child_count;
static volatile sig_atomic_t came;

static void mask(int how)
{
	sigset_t set;

	/* None of these can fail. */
	(void)sigemptyset(&set);
	for (int i = 0; i < NUMBERS; i++)
		(void)sigaddset(&set, numbers[i]);
	(void)sigprocmask(how, &set, NULL);
}

void stop_hold(void)
{
	mask(SIG_BLOCK);
}

bool stop_wanted(void)
{
	sigset_t set;
	bool wanted = false;

	(void)sigpending(&set);
	for (int i = 0; i < NUMBERS; i++)
		wanted |= sigismember(&set, numbers[i]) == 1;
	return wanted;
}

void stop_let(void)
{
	mask(SIG_UNBLOCK);
}

static void pass(int number)
{
	came = number;
	for (size_t i = 0; i < child_count; i++)
		(void)kill(children[i], number); /* not waited for yet, so it is ours */
}

static void handle(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	for (int i = 0; i < NUMBERS; i++)
		(void)sigaction(numbers[i], &action, NULL); /* cannot fail */
}

void stop_own(void)
{
	handle(SIG_DFL);
	stop_let();
}

void stop_pass(const pid_t *child, size_t count)
{
	children = child;
	child_count = count;
	if (count > 0) {
		handle(pass);
		stop_let();
		return;
	}
	handle(SIG_DFL);
	if (came)
		(void)raise(came);
}
