/*
 * dcmspool-router: decides when a series is complete and where it goes. dcmspool-router(8),
 * STATES.md.
 *
 * Any number of routers work on one spool; the lock on the batch decides who gets it. Whatever
 * wakes one (an event, its deadline, its start) makes it look at everything anew, as far as it does
 * not know it already.
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
#include <sys/resource.h>

/* A scan follows the last one by SCAN_US when much happens; after some quiet SCANS_AT_ONCE of them
 * are made at once, so that a single series is as fast as it can be. */
enum { SCAN_US = 50000, SCANS_AT_ONCE = 4 };

static const char usage[] = "usage: dcmspool-router [-n] [-c FILE]\n";

/* How many batches may be claimed together: each has a descriptor, and what is done with it needs
 * some. */
static size_t group_size(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 4 >= GROUP_MAX)
		return GROUP_MAX;
	return limit.rlim_cur < 8 ? 1 : (size_t)limit.rlim_cur / 4;
}

static void reap(struct router *router)
{
	if (!router->loop.child_ended)
		return;
	readers_reap(router);
	router->loop.child_ended = false;
	router->woken = true;
}

/* Sleeps until something has happened that makes another scan worth while, and then as long as the
 * scans are too many. */
static void wait_for_work(struct router *router)
{
	struct loop *loop = &router->loop;
	int64_t now_us = clock_now_us(), held_us;
	bool due = false;

	if (router->paced_us < now_us || router->paced_us > now_us + SCANS_AT_ONCE * SCAN_US)
		router->paced_us = now_us; /* or the clock was set */
	router->paced_us += SCAN_US;
	while (loop_goes_on(loop) && !due && !router->woken) {
		(void)watch_wait(loop, loop->next_us, &due);
		reap(router);
	}
	held_us = router->paced_us - (SCANS_AT_ONCE - 1) * SCAN_US;
	due = false; /* also when the clock is set */
	while (loop_goes_on(loop) && !due && clock_now_us() < held_us) {
		due = loop_poll(loop, held_us, NULL, 0);
		reap(router);
	}
}

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
	known_open(&router);
	router.group = group_size();
	router.recover_us = clock_now_us(); /* what was being read when we were stopped */
	if (router.conf->rule_count == 0)
		log_warning("%s has no rules: every series goes to discard", router.conf->file);
	for (size_t i = 0; i < router.conf->rule_count; i++)
		router.cuts_through |=
			router.conf->rule[i].cut_through && !router.conf->rule[i].disabled;
	watcher_ready(router.conf);
	while (loop_goes_on(&router.loop)) {
		scan(&router); /* whatever it was that woke us */
		wait_for_work(&router);
	}
	return watcher_end(&router.loop);
}
