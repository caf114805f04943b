/*
 * dcmspool-dispatcher: sends jobs to their targets, one at a time. dcmspool-dispatcher(8),
 * STATES.md.
 *
 * n dispatchers send n jobs at once. Whatever wakes one (an event, its deadline, its start, the end
 * of a job) makes it look at all queues anew.
 */
#include "dispatcher.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/service.h"
#include "base/watch.h"
#include "claim.h"
#include "cli/options.h"
#include "cli/watcher.h"
#include "strays.h"
#include "try.h"
#include "untold.h"
#include "work.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

/* How long a job is left alone that we could not work on, and a directory that could not be made.
 */
enum { REST_MS = 30000 };

static const char usage[] = "usage: dcmspool-dispatcher [-ln] [-c FILE]\n";

/* Connections that become free: jobs that end, in sending/<target>. Those that wait are on the
 * rolls.
 */
enum { SENDING_EVENTS = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MOVE_SELF };

static void keep_watch(struct dispatcher *d, const char *path, unsigned int events)
{
	if (watch_keep(path, events) < 0)
		queue_watch_failed(d, path);
}

/* Makes one directory of a target. When the disk is full, the other targets go on. */
static bool make_queue(struct dispatcher *d, enum spool_dir dir, const char *target)
{
	if (disk_make_dir(d->spool.dir[dir], target) == 0)
		return true;
	log_error("unable to make %s/%s/: %s; it is tried again", spool_name(dir), target,
		strerror(errno));
	loop_at(&d->loop, clock_now_us() + REST_MS * 1000);
	return false;
}

static void open_queue(struct dispatcher *d, const char *target)
{
	char path[300];

	(void)make_queue(d, SPOOL_OUTGOING, target);
	(void)snprintf(path, sizeof(path), "%s/%s/", spool_name(SPOOL_SENDING), target);
	if (make_queue(d, SPOOL_SENDING, target))
		keep_watch(d, path, SENDING_EVENTS);
}

static void watch_all(struct dispatcher *d, bool upstream)
{
	watch_begin();
	keep_watch(d, "outgoing/", IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE); /* held */
	for (size_t i = 0; i < d->conf->target_count; i++)
		open_queue(d, d->conf->target[i].name);
	if (expect_watch(&d->expect) < 0 || (upstream && upstream_watch() < 0)) {
		log_error("unable to watch what is on its way: %s; it is tried again",
			strerror(errno));
		loop_at(&d->loop, clock_now_us() + REST_MS * 1000);
	}
	watch_end();
}

/* Watches the queues, then works until no job may go. */
static void scan(struct dispatcher *d)
{
	bool upstream = d->upstream.awaited;
	struct claimed job;

	loop_forget(&d->loop);
	d->upstream.awaited = false;
	watch_all(d, upstream);
	rolls_drain(&d->rolls);
	strays_look(d);
	while (loop_goes_on(&d->loop) && turn_claim(d, &job)) {
		d->upstream.awaited = false;
		if (d->chain.target != job.target)
			chain_end(d);
		work_run(d, &job);
		claimed_close(&job);
	}
	chain_end(d); /* no connection is kept for what may come */
	if ((d->upstream.awaited && !upstream) || expect_missed(&d->expect))
		loop_at(&d->loop, LOOP_NOW); /* with the watches, which come before the look */
}

static bool only_try;

static void option(int letter, const char *argument)
{
	(void)argument; /* none has one */
	only_try |= letter == 'l';
}

int main(int argc, char *argv[])
{
	static struct dispatcher d = { .resting = { .length_ms = REST_MS } };

	log_open(argv[0]);
	service_open(argv);
	d.conf = cli_options(argc, argv, "l", option, usage);
	if (only_try)
		return try_targets(d.conf);
	spool_open(&d.spool, d.conf->spool);
	loop_open(&d.loop);
	d.seen = calloc(d.conf->target_count + 1, sizeof(*d.seen));
	if (!d.seen)
		die(EXIT_TEMPORARY, "out of memory");
	rolls_open(&d.rolls, d.conf);
	watch_also(d.rolls.inotify);
	untold_tell_all(&d.spool);
	watcher_ready(d.conf);
	while (loop_goes_on(&d.loop)) {
		scan(&d);
		if (loop_goes_on(&d.loop))
			(void)watch_wait(
				&d.loop, d.loop.next_us, NULL); /* whatever it was: look anew */
	}
	return watcher_end(&d.loop);
}
