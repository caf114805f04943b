/*
 * dcmspool-router: decides when a series is complete and where it goes. dcmspool-router(8),
 * STATES.md.
 *
 * Any number of routers work on one spool; the lock on the batch decides who gets it. Whatever
 * wakes one (an event, its deadline, its start) makes it look at everything anew.
 */
#include "router.h"

#include "base/log.h"
#include "cli/options.h"
#include "decide/rules.h"
#include "base/loop.h"
#include "base/run.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

static const char usage[] = "usage: dcmspool-router [-n] [-c FILE]\n";

enum { RECOVER_US = 30000000 };

/* A reader of a dropped thing has ended. One that failed, or was killed, has left its directory: it
 * is read again, after a while when the reason may be a full disk. */
static void reap(struct router *router)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		router->readers -= router->readers > 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		log_warning(
			"reading what was dropped failed, it is tried again pid=%ld", (long)pid);
		router->recover_us = spool_now_us() + (WIFEXITED(status) ? RECOVER_US : 0);
	}
}

int main(int argc, char *argv[])
{
	static struct router router; /* for the life of the process */
	struct loop loop;

	log_open(argv[0]);
	router.conf = cli_options_checked(argc, argv, "", NULL, usage, rules_check);
	spool_open(&router.spool, router.conf->spool);
	router.association = run_beside("dcmspool-association");
	if (!router.association)
		die(EXIT_TEMPORARY, "unable to start: %s", strerror(errno));
	loop_open(&loop);
	router.recover_us = spool_now_us(); /* what was being read when we were stopped */
	if (router.conf->rule_count == 0)
		log_warning("%s has no rules: every series goes to discard", router.conf->file);
	log_info("ready spool=%s", router.spool.path);
	while (!loop.stopping) {
		(void)loop_wait(&loop, scan(&router), true); /* whatever it was: look anew */
		if (loop.child_ended)
			reap(&router);
		loop.child_ended = false;
	}
	log_info("stopped");
	return 0;
}
