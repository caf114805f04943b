/*
 * dcmspool-receiver: listens, and starts one dcmspool-association for each connection, as inetd or
 * tcpserver would; see dcmspool-receiver(8).
 *
 * It also has dead associations recovered: at start all that are in receiving/, later whenever an
 * association ended otherwise than with exit 0. It holds no state: killed and started again, it
 * serves on, and the connections of before go on as if nothing had happened.
 */
#include "children.h"
#include "listen.h"

#include "cli/options.h"
#include "conf/conf.h"
#include "base/log.h"
#include "base/run.h"
#include "spool/spool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ACCEPT_PAUSE_US = 1000000, RECOVER_PAUSE_US = 30000000 };
enum { SIGNALS, TIMER, LISTENERS }; /* in the array for poll(2); the listeners are the rest */

static const char usage[] = "usage: dcmspool-receiver [-ln] [-c FILE]";

struct receiver {
	struct spool spool;
	struct listeners listeners;
	struct children children;
	int signals, timer;
	int64_t accept_at_us;  /* no accept before; 0: any time */
	int64_t recover_at_us; /* the next look at receiving/; 0: none is due */
	bool stopping;
};

static bool only_try;

static void option(int letter, const char *argument)
{
	(void)argument; /* none has one */
	only_try |= letter == 'l';
}

static void pause_accepting(struct receiver *r, const char *what)
{
	log_error("unable to %s: %s; trying again in a second", what, strerror(errno));
	r->accept_at_us = spool_now_us() + ACCEPT_PAUSE_US;
}

static void serve(struct receiver *r, int listener)
{
	while (!children_full(&r->children) && !r->accept_at_us) {
		int connection = listen_accept(listener);

		if (connection < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
				errno == ENOBUFS)
				pause_accepting(r, "accept a connection");
			return; /* all taken; or one that broke before we took it */
		}
		if (children_serve(&r->children, connection) < 0)
			pause_accepting(r, "start dcmspool-association");
		(void)close(connection); /* the child has it */
	}
}

static void recover(struct receiver *r)
{
	r->recover_at_us = 0;
	if (children_recover(&r->children, &r->spool))
		r->recover_at_us = spool_now_us() + RECOVER_PAUSE_US;
}

/* A recovery that failed would fail again at once: the next is after a pause. */
static void children_ended(struct receiver *r)
{
	struct reaped reaped = children_reap(&r->children);

	if (r->stopping)
		return;
	if (reaped.lost > 0 || (reaped.recovered > 0 && r->recover_at_us))
		recover(r);
	if (reaped.failed > 0)
		r->recover_at_us = spool_now_us() + RECOVER_PAUSE_US;
}

static void handle_signals(struct receiver *r)
{
	int signal;

	while ((signal = run_next_signal(r->signals))) {
		if (signal == SIGTERM || signal == SIGINT)
			r->stopping = true;
		else if (signal == SIGHUP)
			log_info("every association reads the configuration anew; other addresses "
				 "or ports need a restart");
		else if (signal == SIGCHLD)
			children_ended(r);
	}
}

/* Both deadlines, when they have come. */
static void handle_timer(struct receiver *r)
{
	int64_t now = spool_now_us();

	run_disarm(r->timer); /* which a clock that is set back has woken as well */
	if (now >= r->accept_at_us || r->accept_at_us > now + ACCEPT_PAUSE_US)
		r->accept_at_us = 0;
	if (r->recover_at_us &&
		(now >= r->recover_at_us || r->recover_at_us > now + RECOVER_PAUSE_US))
		recover(r);
}

static int64_t next_deadline(const struct receiver *r)
{
	if (!r->accept_at_us || !r->recover_at_us)
		return r->accept_at_us + r->recover_at_us;
	return r->accept_at_us < r->recover_at_us ? r->accept_at_us : r->recover_at_us;
}

static void wait_for_events(struct receiver *r, struct pollfd *polls)
{
	bool accepting = !children_full(&r->children) && !r->accept_at_us;

	polls[SIGNALS] = (struct pollfd){ .fd = r->signals, .events = POLLIN };
	polls[TIMER] = (struct pollfd){ .fd = r->timer, .events = POLLIN };
	for (size_t i = 0; i < r->listeners.count; i++)
		polls[LISTENERS + i] = (struct pollfd){ .fd = accepting ? r->listeners.fd[i] : -1,
			.events = POLLIN };
	if (run_arm(r->timer, next_deadline(r)) < 0 ||
		(poll(polls, LISTENERS + r->listeners.count, -1) < 0 && errno != EINTR))
		die(EXIT_BUG, "unable to wait: %s", strerror(errno));
}

/* Closes the listeners, tells the associations, and waits for them. */
static void stop(struct receiver *r)
{
	struct pollfd signals = { .fd = r->signals, .events = POLLIN };

	listen_close(&r->listeners);
	children_stop(&r->children);
	while (r->children.count > 0) {
		if (poll(&signals, 1, -1) < 0 && errno != EINTR)
			die(EXIT_BUG, "unable to wait: %s", strerror(errno));
		handle_signals(r);
	}
}

int main(int argc, char *argv[])
{
	static struct receiver r; /* all of it for the life of the process */
	static struct pollfd *polls;
	static struct conf *conf;

	log_open(argv[0]);
	conf = cli_options(argc, argv, "l", option, usage);
	if (only_try) {
		listen_open(&conf->receiver, &r.listeners, true);
		return 0;
	}
	spool_open(&r.spool, conf->spool);
	r.signals = run_signals();
	r.timer = run_timer();
	if (r.signals < 0 || r.timer < 0)
		die(EXIT_TEMPORARY, "unable to take signals: %s", strerror(errno));
	children_open(&r.children, conf);
	listen_open(&conf->receiver, &r.listeners, false);
	polls = calloc(LISTENERS + r.listeners.count, sizeof(*polls));
	if (!polls)
		die(EXIT_TEMPORARY, "unable to start: out of memory");

	recover(&r);
	while (!r.stopping) {
		wait_for_events(&r, polls);
		if (polls[TIMER].revents)
			handle_timer(&r);
		if (polls[SIGNALS].revents)
			handle_signals(&r);
		for (size_t i = 0; i < r.listeners.count && !r.stopping; i++)
			if (polls[LISTENERS + i].revents)
				serve(&r, r.listeners.fd[i]);
	}
	stop(&r);
	return 0;
}
