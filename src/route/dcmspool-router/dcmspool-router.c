/*
 * dcmspool-router: decides when a series is complete and where it goes. dcmspool-router(8),
 * STATES.md.
 *
 * Any number of routers work on one spool; the lock on the batch decides who gets it. Whatever
 * wakes one (an event, its deadline, its start) makes it look at everything anew.
 */
#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/options.h"
#include "cli/watcher.h"
#include "decide/rules.h"
#include "base/run.h"
#include "base/service.h"
#include "base/watch.h"

#include <errno.h>
#include <string.h>

static const char usage[] = "usage: dcmspool-router [-n] [-c FILE]\n";

int main(int argc, char *argv[])
{
	/* for the life of the process */
	static struct router router = { .rest.length_ms = RETRY_MS, .said.length_ms = DAY_MS };

	log_open(argv[0]);
	service_open(argv);
	router.conf = cli_options_checked(argc, argv, "", NULL, usage, rules_check);
	spool_open(&router.spool, router.conf->spool);
	router.association = run_beside("dcmspool-association");
	if (!router.association)
		die(EXIT_TEMPORARY, "unable to start: %s", strerror(errno));
	loop_open(&router.loop);
	router.recover_us = clock_now_us(); /* what was being read when we were stopped */
	if (router.conf->rule_count == 0)
		log_warning("%s has no rules: every series goes to discard", router.conf->file);
	for (size_t i = 0; i < router.conf->rule_count; i++)
		router.cuts_through |=
			router.conf->rule[i].cut_through && !router.conf->rule[i].disabled;
	watcher_ready(router.conf);
	while (loop_goes_on(&router.loop)) {
		scan(&router); /* whatever it was that woke us: everything is looked at anew */
		(void)watch_wait(&router.loop, router.loop.next_us, NULL);
		if (router.loop.child_ended)
			readers_reap(&router);
		router.loop.child_ended = false;
	}
	return watcher_end(&router.loop);
}
