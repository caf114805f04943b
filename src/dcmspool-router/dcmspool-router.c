/*
 * dcmspool-router: decides when a series is complete and where it goes. dcmspool-router(8), STATES.md.
 *
 * Any number of routers work on one spool; the lock on the batch decides who gets it. Whatever wakes one
 * (an event, its deadline, its start) makes it look at everything anew.
 */
#include "router.h"

#include "log.h"
#include "run.h"
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char usage[] = "usage: dcmspool-router [-n] [-c FILE]\n";

enum { SIGNALS, TIMER, TREE, POLLED };
enum { RECOVER_US = 30000000 };

/* A reader of a dropped thing has ended. One that failed, or was killed, has left its directory: it is
 * read again, after a while when the reason may be a full disk. */
static void reap(struct router *router)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		log_warning(
			"reading what was dropped failed, it is tried again pid=%ld", (long)pid);
		router->recover_us = spool_now_us() + (WIFEXITED(status) ? RECOVER_US : 0);
	}
}

/* Returns false when it is time to stop. */
static bool take_signals(struct router *router, int fd)
{
	int number;

	while ((number = run_next_signal(fd)))
		if (number == SIGCHLD)
			reap(router);
		else if (number == SIGTERM || number == SIGINT)
			return false;
	return true;
}

static void wait_and_scan(struct router *router, int signals, int timer)
{
	struct pollfd polled[POLLED] = {
		[SIGNALS] = { .fd = signals, .events = POLLIN },
		[TIMER] = { .fd = timer, .events = POLLIN },
		[TREE] = { .events = POLLIN },
	};

	for (;;) {
		if (run_arm(timer, scan(router)) < 0)
			die(EXIT_TEMPORARY, "unable to set the timer: %s", strerror(errno));
		polled[TREE].fd = watch_fd();
		while (poll(polled, POLLED, -1) < 0)
			if (errno != EINTR)
				die(EXIT_BUG, "unable to poll: %s", strerror(errno));
		if (polled[TIMER].revents)
			run_disarm(timer);
		if (polled[TREE].revents)
			watch_drain();
		if (polled[SIGNALS].revents && !take_signals(router, signals))
			return;
	}
}

int main(int argc, char *argv[])
{
	struct router router = { 0 };
	int signals, timer;

	log_open(argv[0]);
	router.conf = conf_main(argc, argv, "", NULL, usage);
	spool_open(&router.spool, router.conf->spool);
	router.association = run_beside("dcmspool-association");
	signals = run_signals();
	timer = run_timer();
	if (!router.association || signals < 0 || timer < 0 || watch_open() < 0)
		die(EXIT_TEMPORARY, "unable to start: %s", strerror(errno));
	router.recover_us = spool_now_us(); /* what was being read when we were stopped */
	log_info("ready spool=%s", router.spool.path);
	wait_and_scan(&router, signals, timer);
	log_info("stopped");
	return 0;
}
