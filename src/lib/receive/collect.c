#define _GNU_SOURCE /* pipe2, strsep */
#include "collect.h"

#include "base/clock.h"
#include "follow.h"
#include "spool/journal.h"
#include "base/log.h"
#include "spool/file.h"
#include "spool/reason.h"
#include "base/run.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	QUARANTINE_MAX = 1000,
	PAUSE_MIN_MS = 1000,
	PAUSE_MAX_MS = 30000,
	LOG_LINES_MAX = 100, /* of storescp's per association: a sender can cause any number */
};

static void end_input(struct collect *c)
{
	if (c->input >= 0)
		(void)close(c->input); /* a pipe */
	c->input = -1;
}

/* A process of its own: a file that it crashes on does no harm to anything else. */
static pid_t fork_tags(const struct association *a, int input)
{
	char directory[sizeof("receiving/") + ASSOC_NAME_SIZE];
	int keep[SPOOL_DIRS + 1];
	pid_t pid;

	memcpy(keep, a->spool->dir, sizeof(a->spool->dir));
	keep[SPOOL_DIRS] = a->dir;
	pid = run_fork("getdcmtags", input, keep, SPOOL_DIRS + 1, false);
	if (pid != 0)
		return pid;
	(void)snprintf(directory, sizeof(directory), "receiving/%s", a->name); /* fits */
	exit(follow_association(a->spool, directory));
}

int collect_start(struct collect *c)
{
	int ends[2] = { -1, -1 };

	c->tags = -1;
	c->input = -1;
	if (pipe2(ends, O_CLOEXEC) == 0)
		c->tags = fork_tags(c->a, ends[0]);
	if (c->tags < 0)
		log_error("unable to start getdcmtags: %s", strerror(errno));
	if (ends[0] >= 0)
		(void)close(ends[0]); /* the child has it */
	c->input = ends[1];
	if (c->tags < 0 || c->storescp < 0)
		end_input(c);
	return c->tags < 0 ? -1 : 0;
}

/* getdcmtags will be started again after a pause that grows. */
static void start_later(struct collect *c)
{
	c->start_at_us = clock_now_us() + (int64_t)c->pause_ms * 1000;
	c->pause_ms = c->pause_ms * 2 < PAUSE_MAX_MS ? c->pause_ms * 2 : PAUSE_MAX_MS;
}

/* True for a path that stays below the directory that it is relative to. */
static bool is_below(const char *path)
{
	const char *part = path;

	while (*part) {
		size_t length = strcspn(part, "/");

		if (length == 0 || (length == 1 && part[0] == '.') ||
			(length == 2 && part[0] == '.' && part[1] == '.'))
			return false;
		part += length + (part[length] == '/');
	}
	return *path;
}

/* It has been dealt with, and counts. */
static void forget_reading(const struct collect *c, struct assoc_counts *counts)
{
	int reading = assoc_reading_open(c->a->dir);

	counts->quarantined++;
	if (reading < 0 || assoc_reading_say(reading, counts, "") < 0)
		(void)file_remove(c->a->dir, FILE_READING); /* written anew for the next file */
	if (reading >= 0)
		(void)close(reading); /* a full disk costs the counts */
}

/* The file that getdcmtags was reading when it crashed goes to error/. -1 when it cannot. */
static int quarantine(struct collect *c, int status)
{
	char reason[128], as[NAME_MAX + 1];
	struct assoc_counts counts;
	char *path = assoc_reading_load(c->a->dir, &counts);
	int result = -1;

	if (!path)
		return -1;
	(void)snprintf(
		reason, sizeof(reason), "getdcmtags crashed on this file (status %d)", status);
	assoc_file(path, as);
	if (is_below(path) && ++c->quarantined <= QUARANTINE_MAX)
		result = reason_quarantine_as(c->a->spool, c->a->dir, path, as, c->a->name, reason);
	if (result == 0) {
		log_error("quarantined a file association=%s: %s", c->a->name, reason);
		forget_reading(c, &counts);
	}
	free(path);
	return result;
}

/* A crash of its own making, in contrast to having been killed by somebody. */
static bool crashed(int status)
{
	int signal = status - 128;

	return status == EXIT_BUG || signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT ||
	       signal == SIGFPE || signal == SIGILL || signal == SIGSYS || signal == SIGTRAP;
}

static void tags_ended(struct collect *c, int status)
{
	c->tags = -1;
	end_input(c);
	if (status == 0 && c->storescp < 0)
		return;
	log_warning("getdcmtags ended early association=%s status=%d", c->a->name, status);
	if (crashed(status) && quarantine(c, status) == 0) {
		c->pause_ms = PAUSE_MIN_MS;
		c->start_at_us = clock_now_us();
		return;
	}
	start_later(c);
}

void collect_storescp_ended(struct collect *c, int status)
{
	c->storescp = -1;
	c->broken = status != 0;
	if (c->relay)
		relay_finish(c->relay);
	if (c->life >= 0)
		(void)close(c->life); /* a socket */
	c->life = -1;
	if (status == RUN_SIGNALLED)
		log_warning("storescp was killed or has crashed association=%s", c->a->name);
	else if (status == RUN_SIGNALLED + SIGALRM)
		log_warning(
			"storescp did neither answer nor end in time association=%s", c->a->name);
	else if (status != 0)
		log_warning("storescp ended association=%s status=%d", c->a->name, status);
	end_input(c);
}

static void reap(struct collect *c)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		status = run_status(status);
		if (pid == c->storescp && c->life < 0)
			collect_storescp_ended(c, status);
		else if (pid == c->tags)
			tags_ended(c, status);
	}
}

/* One that waited has ended: it says how, or the kernel closes its end. */
static void hear_end(struct collect *c)
{
	unsigned char status;
	ssize_t n = recv(c->life, &status, sizeof(status), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	collect_storescp_ended(c, n == sizeof(status) ? status : RUN_SIGNALLED);
}

static void handle_signals(struct collect *c)
{
	if (c->loop.child_ended) {
		c->loop.child_ended = false;
		reap(c);
	}
	if (!c->loop.stopping)
		return;
	c->loop.stopping = false;
	c->stopping = true;
	if (c->life >= 0)
		parked_kill(c->life);
	else if (c->storescp > 0)
		(void)kill(c->storescp, SIGKILL); /* it is our child until reaped */
}

/* What a line of storescp's says besides. */
static void understand(struct collect *c, const char *line)
{
	static const char aborting[] = "DIMSE failure (aborting association)";

	c->aborted |= strncmp(line, aborting, sizeof(aborting) - 1) == 0;
	c->odd |= strstr(line, "Odd Fragment Length") != NULL;
	if (strncmp(line, ASSOC_NOT_TAKEN, sizeof(ASSOC_NOT_TAKEN) - 1) == 0)
		(void)snprintf(c->not_taken, sizeof(c->not_taken), "%s",
			line + sizeof(ASSOC_NOT_TAKEN) - 1); /* fits */
}

/* Neither PS3.5 7.1.1 nor PS3.7 allow odd lengths, and there are senders who send them. */
static void tell_odd(const struct collect *c)
{
	static const char reason[] =
		"its length is odd, which storescp does not take; the sender has to pad it";
	const char *peer = c->a->caller ? c->a->caller->peer : "";
	const char *calling = c->a->caller ? c->a->caller->calling : "";

	log_warning("image refused association=%s peer=%s calling=%s image=%s: %s", c->a->name,
		peer, calling, c->not_taken, reason);
	journal_write(c->a->spool, "image-refused", "association", c->a->name, "peer", peer,
		"calling_aet", calling, "image", c->not_taken, "reason", reason, NULL);
}

/* storescp's log lines become ours. Returns whether there may be more. */
static bool relay_log(struct collect *c)
{
	char data[4096], *line, *rest = data;
	ssize_t n = read(c->log, data, sizeof(data) - 1);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	if (n <= 0) {
		(void)close(c->log); /* a pipe */
		c->log = -1;
		return false;
	}
	data[n] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		understand(c, line);
		if (!*line)
			continue;
		else if (++c->lines <= LOG_LINES_MAX)
			log_warning("storescp: %s association=%s", line, c->a->name);
		else if (c->lines == LOG_LINES_MAX + 1)
			log_warning("storescp: more messages left out association=%s", c->a->name);
	}
	return true;
}

/* Nothing runs, and nothing is to be started; when stopping, not even later. */
static bool is_done(const struct collect *c)
{
	return c->tags < 0 && c->storescp < 0 && (c->start_at_us == 0 || c->stopping);
}

/* Starts getdcmtags again, when the time has come. */
static void start_again(struct collect *c)
{
	if (c->stopping || !clock_is_due(c->start_at_us, PAUSE_MAX_MS * INT64_C(1000)))
		return;
	c->start_at_us = 0;
	if (collect_start(c) < 0)
		start_later(c);
}

int collect_run(struct collect *c)
{
	enum { LOG = LOOP_OWN, LIFE, RELAY, POLLED = RELAY + RELAY_ENDS };

	c->pause_ms = PAUSE_MIN_MS;
	if (c->tags < 0)
		start_later(c);
	while (!is_done(c)) {
		struct pollfd polled[POLLED] = {
			[LOG] = { .fd = c->log, .events = POLLIN },
			[LIFE] = { .fd = c->life, .events = POLLIN },
			[RELAY] = { .fd = -1 },
			[RELAY + 1] = { .fd = -1 },
		};

		if (c->relay)
			relay_watch(c->relay, polled + RELAY);
		(void)loop_poll(&c->loop, c->start_at_us, polled, POLLED);
		if (polled[LOG].revents)
			(void)relay_log(c);
		if (c->relay)
			relay_turn(c->relay, polled + RELAY);
		if (polled[LIFE].revents)
			hear_end(c);
		handle_signals(c);
		start_again(c);
	}
	while (c->log >= 0 && relay_log(c))
		;
	if (c->odd)
		tell_odd(c);
	return c->start_at_us ? -1 : 0;
}
