/*
 * dcmspool-echo: asks targets whether they can be used, as a dispatcher does before it sends to one
 * that had failed: by the sender of the target's type with -p, dcmspool-sender(7).
 * dcmspool-echo(8).
 *
 * All senders run at once and each answer is printed when it comes, so that a target that does not
 * answer delays no other; what each of them says goes to a file without a name. A target that keeps
 * its sender busy for ever, by a byte from time to time, has a deadline.
 */
#define _DEFAULT_SOURCE /* pidfd_open */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/run.h"
#include "base/str.h"
#include "cli/moment.h"
#include "cli/operator.h"
#include "cli/options.h"
#include "cli/show.h"
#include "conf/ask.h"
#include "conf/conf.h"
#include "conf/target.h"
#include "spool/held.h"
#include "spool/pause.h"
#include "spool/spool.h"

static const char usage[] = "usage: dcmspool-echo [-n] [-c FILE] TARGET|all\n";

enum { DEFAULT_TIMEOUT_S = 30, MAX_TIMEOUT_S = 24 * 3600, GRACE_S = 5 };

struct probe {
	const struct conf_target *target;
	pid_t pid;   /* -1: it could not be started */
	int failure; /* and the exit code of that */
	int out;     /* what the sender writes */
	long patience_s;
	int64_t deadline_ms;
	bool late; /* and was ended */
};

/* A connection and an answer may each take the time-out. */
static long patience(const struct conf_target *target)
{
	long timeout_s = target_silence_s(target);

	if (timeout_s < 1 || timeout_s > MAX_TIMEOUT_S)
		timeout_s = DEFAULT_TIMEOUT_S;
	return 2 * timeout_s + GRACE_S;
}

static void start(struct probe *probe, const struct conf_target *target)
{
	probe->target = target;
	probe->patience_s = patience(target);
	probe->deadline_ms = clock_monotonic_ms() + probe->patience_s * INT64_C(1000);
	probe->pid = ask_start(target, "-p", false, &probe->out);
	probe->failure = probe->pid < 0 ? failure_code(errno) : 0;
	if (probe->out < 0)
		die(EXIT_TEMPORARY, "unable to ask target %s: %s", target->name, strerror(errno));
	if (probe->pid < 0)
		log_error("unable to start send-%s: %s; install it beside the other programs",
			target->type, strerror(errno));
}

/* Waits for the sender and says what it found. The lines are the evidence, as for a dispatcher. */
static int finish(struct probe *probe)
{
	int code = probe->pid < 0 ? probe->failure : run_wait(probe->pid);
	char reason[512];

	if (ask_reason(probe->out, reason, sizeof(reason)) < 0)
		die(EXIT_TEMPORARY, "unable to read what the sender said: %s", strerror(errno));
	if (code == 0 && !reason[0]) {
		(void)printf("%s: ok\n", probe->target->name); /* main() sees a failure to write */
		return 0;
	}
	if (reason[0])
		(void)printf("%s: %s\n", probe->target->name, reason);
	else if (probe->late)
		(void)printf("%s: no answer within %ld s; send-%s was ended\n", probe->target->name,
			probe->patience_s, probe->target->type);
	else if (probe->pid < 0)
		(void)printf("%s: there is no send-%s that can be started\n", probe->target->name,
			probe->target->type);
	else
		(void)printf("%s: send-%s ended with status %d and told no reason\n",
			probe->target->name, probe->target->type, code);
	return code == EXIT_PERMANENT ? EXIT_PERMANENT : EXIT_TEMPORARY;
}

static void unseen(const char *target)
{
	log_warning("unable to see whether %s is held or paused: %s", target, strerror(errno));
}

/* What keeps jobs from it whatever it answers. dir: of the target's queue, or with all of all. */
static void tell_hold(int dir, bool all, const char *target)
{
	int held = held_exists(dir);
	struct buf by = { 0 };

	if (held < 0)
		unseen(target);
	if (held <= 0)
		return;
	held_tell(dir, &by);
	(void)printf("%s: %s held%s: nothing is sent; end that with: dcmspool release %s\n", target,
		all ? "all targets are" : "it is", by.data ? by.data : "", all ? HELD_ALL : target);
	buf_free(&by);
}

static void tell_pause(int queue, const char *target)
{
	struct pause pause;
	int paused = pause_load(queue, &pause);
	char until[MOMENT_SIZE];
	struct buf text = { 0 };

	if (paused < 0)
		unseen(target);
	if (paused <= 0)
		return;
	moment_text(pause.until_us, until, sizeof(until));
	buf_printf(&text, "%s: it is paused%s%s", target, *until ? " until " : "", until);
	buf_puts(&text, *pause.reason ? ", it failed: " : "");
	show_add(&text, pause.reason);
	(void)printf("%s; try its jobs now with: dcmspool retry %s\n", text.data ? text.data : "",
		target);
	buf_free(&text);
}

static void tell_waits(const struct conf *conf, const char *target)
{
	struct buf path = { 0 };
	int outgoing, queue;

	buf_printf(&path, "%s/%s", conf->spool, spool_name(SPOOL_OUTGOING));
	if (path.failed)
		die(EXIT_TEMPORARY, "unable to ask: out of memory");
	outgoing = disk_open_dir(AT_FDCWD, path.data);
	buf_free(&path);
	queue = outgoing < 0 ? -1 : disk_open_dir(outgoing, target);
	if (queue < 0 && errno != ENOENT) /* nothing has ever waited for it */
		unseen(target);
	if (outgoing >= 0) {
		tell_hold(outgoing, true, target);
		(void)close(outgoing); /* only read */
	}
	if (queue >= 0) {
		tell_hold(queue, false, target);
		tell_pause(queue, target);
		(void)close(queue); /* only read */
	}
}

static int worse(int code, int answer)
{
	return answer > 0 && code != EXIT_PERMANENT ? answer : code;
}

/* Has the sender ended, or is its time over? */
static bool is_due(struct probe *probe, const struct pollfd *ended)
{
	if (ended->fd < 0)
		return false;
	if (!ended->revents && clock_left_ms(probe->deadline_ms) == 0) {
		(void)kill(probe->pid, SIGKILL); /* it may have ended just now */
		probe->late = true;
	}
	return ended->revents || probe->late;
}

static struct pollfd start_waiting(const struct probe *probe)
{
	struct pollfd ended = { .fd = pidfd_open(probe->pid, 0), .events = POLLIN };

	if (ended.fd < 0)
		die(EXIT_TEMPORARY, "unable to wait for target %s: %s", probe->target->name,
			strerror(errno));
	return ended;
}

/* Sleeps until one of them has ended, or its time is over. */
static void sleep_until_any(
	struct loop *loop, const struct probe *probe, struct pollfd *polled, size_t count)
{
	loop_forget(loop);
	for (size_t i = 0; i < count; i++)
		if (polled[LOOP_OWN + i].fd >= 0)
			loop_at(loop, clock_wall_us(probe[i].deadline_ms));
	(void)loop_poll(loop, loop->next_us, polled, LOOP_OWN + count);
}

/* Prints each answer as it comes. Returns the exit status. */
static int finish_all(struct probe *probe, size_t count)
{
	struct pollfd *polled = calloc(LOOP_OWN + count, sizeof(*polled));
	struct pollfd *ended; /* pidfds; -1: printed */
	size_t left = count;
	struct loop loop;
	int code = 0;

	if (!polled)
		die(EXIT_TEMPORARY, "unable to ask: out of memory");
	ended = polled + LOOP_OWN;
	loop_open_bare(&loop);
	for (size_t i = 0; i < count; i++) {
		if (probe[i].pid >= 0) {
			ended[i] = start_waiting(&probe[i]);
			continue;
		}
		ended[i].fd = -1;
		code = worse(code, finish(&probe[i]));
		left--;
	}
	while (left > 0) {
		output_flush();
		sleep_until_any(&loop, probe, polled, count);
		for (size_t i = 0; i < count; i++) {
			if (!is_due(&probe[i], &ended[i]))
				continue;
			code = worse(code, finish(&probe[i]));
			(void)close(ended[i].fd); /* nothing is written to it */
			ended[i].fd = -1;
			left--;
		}
	}
	free(polled);
	output_flush();
	return code;
}

int main(int argc, char *argv[])
{
	struct conf *conf;
	struct probe *probe;
	const struct conf_target *one = NULL;
	size_t count;
	int code;

	log_open(argv[0]);
	(void)unsetenv(
		"DCMSPOOL_JOB"); /* with it, it would be a dispatcher's question; cannot fail */
	conf = cli_options_acting(argc, argv, NULL, NULL, usage);
	if (argc != optind + 1) {
		(void)fputs(usage, stderr); /* there is nobody else to tell */
		return EXIT_PERMANENT;
	}
	if (strcmp(argv[optind], "all") != 0) {
		one = conf_target(conf, argv[optind]);
		if (!one)
			return operator_no_target(conf, argv[optind]);
	}
	count = one ? 1 : conf->target_count;
	probe = calloc(count + 1, sizeof(*probe));
	if (!probe)
		die(EXIT_TEMPORARY, "unable to ask: out of memory");
	for (size_t i = 0; i < count; i++)
		start(&probe[i], one ? one : &conf->target[i]);
	code = finish_all(probe, count);
	show_open();
	for (size_t i = 0; i < count; i++)
		tell_waits(conf, probe[i].target->name);
	output_flush();
	free(probe);
	conf_free(conf);
	return code;
}
