#define _GNU_SOURCE /* pipe2 */
#include "sending.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/run.h"
#include "base/str.h"
#include "conf/target.h"
#include "dispatcher.h"
#include "said.h"
#include "spool/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than any image takes: senders have time-outs of their own. */
enum { SILENCE_S = 3600, SILENCE_MORE_S = 60, SILENCE_MAX_S = 2000000 };

/* The sender at work. */
struct sender {
	pid_t pid;
	int out; /* its standard output */
	struct said said;
};

/* The names of the images to be sent, one a line, as a file without a name. */
static int list_to_send(const struct attempt *attempt, size_t *count)
{
	struct buf list = { 0 };

	*count = 0;
	for (size_t i = 0; i < attempt->answers.count; i++) {
		if (!attempt->answers.image[i].listed)
			continue;
		buf_printf(&list, "%s\n", attempt->answers.image[i].name);
		++*count;
	}
	return memory_buf("images", &list, false);
}

static pid_t start_sender(const struct claimed *job, int list, int out)
{
	char **environment = target_environment(job->target, job->job);
	char *path = target_program(job->target);
	const char *argv[] = { path, list < 0 ? "-p" : NULL, NULL };
	struct run run = RUN_DEFAULT;
	pid_t pid = -1;
	int saved;

	if (path && environment) {
		run.argv = argv;
		run.environment = (const char *const *)environment;
		run.in = list;
		run.out = out;
		run.directory = job->dir;
		pid = run_start(&run);
	}
	saved = errno;
	if (pid < 0)
		log_error("unable to start %s: %s target=%s", path ? path : "the sender",
			strerror(errno), job->target->name);
	free(path);
	target_environment_free(environment);
	errno = saved;
	return pid;
}

static bool has_ended(const struct sender *sender)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)sender->pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
	       info.si_pid == sender->pid;
}

/* How long a sender may say nothing: what its target's timeout allows, too. Milliseconds. */
static int silence_ms(const struct conf_target *target)
{
	long timeout_s = target_silence_s(target) + SILENCE_MORE_S;

	if (timeout_s < SILENCE_S)
		timeout_s = SILENCE_S;
	return (int)(timeout_s < SILENCE_MAX_S ? timeout_s : SILENCE_MAX_S) * 1000;
}

/* Reads until the sender has ended; that it has closed its output is not enough, nor that a child
 * of its keeps it open. Returns false when it has been silent for too long. */
static bool follow(struct dispatcher *d, struct sender *sender, int patience_ms)
{
	enum { SIGNALS, OUTPUT, POLLED };
	struct pollfd polled[POLLED] = {
		[SIGNALS] = { .fd = d->loop.signals, .events = POLLIN },
		[OUTPUT] = { .fd = sender->out, .events = POLLIN },
	};

	while (!d->loop.stopping && said_goes_on(&sender->said)) {
		bool ended = has_ended(sender);
		int ready = poll(polled, POLLED, ended ? 0 : patience_ms);

		if (ready < 0) {
			if (errno == EINTR)
				continue;
			die(EXIT_BUG, "unable to poll: %s", strerror(errno));
		}
		if (polled[SIGNALS].revents)
			loop_take_signals(&d->loop);
		if (polled[OUTPUT].revents) {
			if (!said_take(&sender->said, sender->out))
				polled[OUTPUT].fd = -1;
		} else if (ended) {
			return true;
		} else if (ready == 0) {
			return false;
		}
	}
	return true;
}

/* What a shell and the dynamic loader end with when there is something that they cannot run. */
static bool is_own(int status)
{
	return status == 126 || status == 127;
}

/* Follows the sender, ends it when it does not by itself, and waits for it. */
static int status_of(struct dispatcher *d, struct sender *sender)
{
	const struct conf_target *target = sender->said.attempt->claimed->target;
	struct outcome *outcome = sender->said.outcome;
	int patience_ms = silence_ms(target), status;
	bool in_time = follow(d, sender, patience_ms);

	d->loop.child_ended = false;
	if (!has_ended(sender))
		(void)kill(sender->pid, SIGKILL);
	status = run_wait(sender->pid);
	outcome->was_cut = status > RUN_SIGNALLED;
	if (!in_time)
		(void)snprintf(outcome->reason, sizeof(outcome->reason),
			"send-%s told nothing for %d s and was ended", target->type,
			patience_ms / 1000);
	if (!in_time)
		return EXIT_TEMPORARY;
	if (is_own(status) && sender->said.attempt->answers.answered == 0)
		(void)snprintf(outcome->own_fault, sizeof(outcome->own_fault),
			"send-%s could not be loaded, status %d", target->type, status);
	/* A bug is the sender's: it is no sign of the target. */
	return sender->said.babbles ? EXIT_BUG : status;
}

/* Starts the sender, with a list of images or (list < 0) as a probe, and follows it to its end.
 * Whether it could be run stands in outcome->own_fault. */
static int run_sender(
	struct dispatcher *d, struct attempt *attempt, struct outcome *outcome, int list)
{
	struct sender sender = { .said = { .attempt = attempt, .outcome = outcome } };
	const struct claimed *job = attempt->claimed;
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC) < 0) {
		log_error("unable to prepare sending: %s job=%s", strerror(errno), job->job);
		return -1;
	}
	sender.pid = start_sender(job, list, pipes[1]);
	if (sender.pid < 0) {
		(void)snprintf(outcome->own_fault, sizeof(outcome->own_fault),
			"unable to start send-%s: %s", job->target->type, strerror(errno));
	}
	(void)close(pipes[1]); /* the sender's end; ours would hide its end of file */
	sender.out = pipes[0];
	outcome->status = sender.pid < 0 ? EXIT_TEMPORARY : status_of(d, &sender);
	(void)close(pipes[0]); /* only read */
	said_end(&sender.said);
	errno = sender.said.broken;
	return sender.said.broken ? -1 : 0;
}

int sending_probe(struct dispatcher *d, struct attempt *attempt, struct outcome *outcome)
{
	int result;

	*outcome = (struct outcome){ 0 };
	result = run_sender(d, attempt, outcome, -1);
	if (outcome->status != EXIT_TEMPORARY && outcome->status != EXIT_PERMANENT)
		outcome->status = 0;
	return result;
}

int sending_images(struct dispatcher *d, struct attempt *attempt, struct outcome *outcome)
{
	const struct claimed *job = attempt->claimed;
	size_t count;
	int list = list_to_send(attempt, &count), result = 0, saved;

	*outcome = (struct outcome){ 0 };
	if (list < 0) {
		log_error("unable to prepare sending: %s job=%s", strerror(errno), job->job);
		return -1;
	}
	if (count > 0 && (result = ledger_reserve(job->dir, count)) < 0) {
		saved = errno;
		log_error("unable to write the ledger of job %s: %s", job->job, strerror(saved));
		errno = saved;
	} else if (count > 0) {
		log_info("sending job=%s target=%s images=%zu", job->job, job->target->name, count);
		result = run_sender(d, attempt, outcome, list);
	}
	saved = errno;
	(void)close(list); /* memory */
	errno = saved;
	return result;
}
