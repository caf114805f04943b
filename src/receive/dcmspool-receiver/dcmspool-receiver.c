/*
 * dcmspool-receiver: listens, and forks a process for each connection, but only once a whole
 * request is there (waiting.h); what that does is receive/serve.h. See dcmspool-receiver(8).
 *
 * It also has dead associations recovered: at start all that are in receiving/, later whenever an
 * association ended otherwise than with exit 0. It holds no state: killed and started again, it
 * serves on, and the connections of before go on as if nothing had happened.
 */
#include "children.h"
#include "listen.h"
#include "waiting.h"

#include "cli/options.h"
#include "conf/conf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/service.h"
#include "base/str.h"
#include "cli/watcher.h"
#include "decide/names.h"
#include "handed.h"
#include "receive/parked.h"
#include "spool/held.h"
#include "spool/spool.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* LAST_S: how long a connection may go on when the receiver is told to end and others, who hold its
 * sockets, go on: its caller would be the only one to notice. */
enum { ACCEPT_PAUSE_US = 1000000, RECOVER_PAUSE_US = 30000000, LAST_US = 10000000 };

static const char usage[] = "usage: dcmspool-receiver [-ln] [-o FILE] [-c FILE]";

struct receiver {
	struct spool spool;
	struct listeners listeners;
	struct waiting waiting;
	struct children children;
	struct parked parked;
	struct loop loop;
	int64_t accept_at_us;  /* no accept before; 0: any time */
	int64_t last_at_us;    /* who is there may go on until then; 0: as long as he wants */
	int64_t recover_at_us; /* the next look at receiving/; 0: none is due */
};

static struct listen_try try;

static void option(int letter, const char *argument)
{
	const struct conf *runs;

	if (letter == 'l') {
		try.only = true;
		return;
	}
	runs = conf_load(argument, NULL);
	if (!runs)
		die(errno == EINVAL ? EXIT_PERMANENT : EXIT_TEMPORARY,
			"unable to read the configuration that runs: %s", argument);
	try.taken = &runs->receiver;
}

static void pause_accepting(struct receiver *r, const char *what)
{
	log_error("unable to %s: %s; trying again in a second", what, strerror(errno));
	r->accept_at_us = clock_now_us() + ACCEPT_PAUSE_US;
}

static void take_callers(struct receiver *r, int listener)
{
	while (waiting_has_room(&r->waiting) && !r->accept_at_us) {
		int connection = listen_accept(listener);

		if (connection < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
				errno == ENOBUFS)
				pause_accepting(r, "accept a connection");
			return; /* all taken; or one that broke before we took it */
		}
		waiting_add(&r->waiting, connection);
	}
}

/* Those whose request is there get their process. */
static void serve(struct receiver *r)
{
	int connection;

	while (!children_full(&r->children) && (connection = waiting_next(&r->waiting)) >= 0) {
		if (children_serve(&r->children, connection, parked_command(&r->parked)) < 0)
			pause_accepting(r, "start an association");
		(void)close(connection); /* the child has it */
	}
}

static void recover(struct receiver *r)
{
	r->recover_at_us = 0;
	if (children_recover(&r->children))
		r->recover_at_us = clock_now_us() + RECOVER_PAUSE_US;
}

/* A recovery that failed would fail again at once: the next is after a pause. */
static void children_ended(struct receiver *r)
{
	struct reaped reaped;

	if (!r->loop.child_ended)
		return;
	r->loop.child_ended = false;
	reaped = children_reap(&r->children, &r->parked);
	if (!loop_goes_on(&r->loop))
		return;
	if (reaped.lost > 0 || (reaped.recovered > 0 && r->recover_at_us))
		recover(r);
	if (reaped.failed > 0)
		r->recover_at_us = clock_now_us() + RECOVER_PAUSE_US;
}

/* Both deadlines, when they have come. */
static void meet_deadlines(struct receiver *r)
{
	if (clock_is_due(r->accept_at_us, ACCEPT_PAUSE_US))
		r->accept_at_us = 0;
	if (clock_is_due(r->recover_at_us, RECOVER_PAUSE_US))
		recover(r);
}

enum { PARKED = LOOP_OWN, LISTENERS };

/* polled: room for the loop's own, the storescp that waits, the listeners, and all that may wait.
 */
static void wait_for_events(struct receiver *r, struct pollfd *polled)
{
	bool accepting = waiting_has_room(&r->waiting) && !r->accept_at_us;
	struct pollfd *callers = polled + LISTENERS + r->listeners.count;
	int64_t due_us =
		clock_earlier(r->last_at_us, clock_earlier(r->accept_at_us, r->recover_at_us));

	for (size_t i = 0; i < r->listeners.count; i++)
		polled[LISTENERS + i] =
			(struct pollfd){ .fd = accepting ? r->listeners.one[i].fd : -1,
				.events = POLLIN };
	polled[PARKED] = (struct pollfd){ .fd = r->parked.command, .events = POLLIN };
	waiting_watch(&r->waiting, callers);
	(void)loop_poll(&r->loop, clock_earlier(due_us, waiting_due_us(&r->waiting)), polled,
		LISTENERS + r->listeners.count + r->waiting.count);
	if (polled[PARKED].revents)
		parked_turn(&r->parked);
	waiting_turn(&r->waiting, callers);
}

/* Who is there may come to an end: others hold our sockets, so he would be the only one to notice.
 */
static void let_end(struct receiver *r, struct pollfd *polled)
{
	r->last_at_us = clock_now_us() + LAST_US;
	while (r->children.count + r->waiting.count > 0 && !clock_is_due(r->last_at_us, LAST_US)) {
		wait_for_events(r, polled);
		children_ended(r);
		serve(r);
	}
	r->last_at_us = 0;
}

/* Closes the listeners, tells the associations, and waits for them. */
static void stop(struct receiver *r, struct pollfd *polled)
{
	bool handed = r->listeners.handed;

	listen_close(&r->listeners);
	if (handed)
		let_end(r, polled);
	children_stop(&r->children);
	while (r->children.count > 0) {
		(void)loop_poll(&r->loop, 0, NULL, 0);
		children_ended(r);
	}
}

static void tell_held(const struct receiver *r)
{
	struct buf by = { 0 };

	if (!held_is(r->spool.dir[SPOOL_RECEIVING]))
		return;
	held_tell(r->spool.dir[SPOOL_RECEIVING], &by);
	log_warning("reception is held%s: callers are told to come back later; "
		    "end that with: dcmspool release --receiver",
		by.data ? by.data : "");
	buf_free(&by);
}

int main(int argc, char *argv[])
{
	static struct receiver r; /* all of it for the life of the process */
	static struct pollfd *polled;
	static struct conf *conf;

	log_open(argv[0]);
	service_open(argv);
	conf = cli_options_checked(argc, argv, "lo:", option, usage, names_check);
	if (try.only) {
		spool_check_format(conf->spool);
		listen_open(&conf->receiver, &r.listeners, try);
		return 0;
	}
	spool_open(&r.spool, conf->spool);
	loop_open(&r.loop);
	children_open(&r.children, conf, &r.spool);
	listen_open(&conf->receiver, &r.listeners, try);
	parked_open(&r.parked, &conf->receiver);
	waiting_open(&r.waiting, &r.spool, conf->receiver.request_timeout_s);
	polled = calloc(LISTENERS + r.listeners.count + WAITING_MAX, sizeof(*polled));
	if (!polled)
		die(EXIT_TEMPORARY, "unable to start: out of memory");

	watcher_ready(conf);
	tell_held(&r);
	recover(&r);
	while (loop_goes_on(&r.loop)) {
		wait_for_events(&r, polled);
		meet_deadlines(&r);
		children_ended(&r);
		for (size_t i = 0; i < r.listeners.count && loop_goes_on(&r.loop); i++)
			if (polled[LISTENERS + i].revents)
				take_callers(&r, r.listeners.one[i].fd);
		serve(&r);
	}
	if (r.loop.anew && !r.loop.stopping) {
		handed_leave(&r.listeners);
		children_leave(&r.children);
		waiting_leave(&r.waiting);
	} else {
		stop(&r, polled);
	}
	return watcher_end(&r.loop);
}
