#include "sending.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/run.h"
#include "base/str.h"
#include "chain.h"
#include "conf/target.h"
#include "dispatcher.h"
#include "said.h"
#include "spool/ledger.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* SILENCE_S is longer than any image takes: senders have time-outs of their own. STOP_MS is what
 * the image under way gets when we are stopped. */
enum { SILENCE_S = 3600, SILENCE_MORE_S = 60, SILENCE_MAX_S = 2000000, STOP_MS = 5000 };

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

/* How long a sender may say nothing: what its target's timeout allows, too. Milliseconds. */
static int silence_ms(const struct conf_target *target)
{
	long timeout_s = target_silence_s(target) + SILENCE_MORE_S;

	if (timeout_s < SILENCE_S)
		timeout_s = SILENCE_S;
	return (int)(timeout_s < SILENCE_MAX_S ? timeout_s : SILENCE_MAX_S) * 1000;
}

/* How long to wait for the sender. Once we are to stop it is told to end, and gets *until_ms for it
 * (0: not told yet). */
static int left_ms(struct dispatcher *d, int patience_ms, int64_t *until_ms)
{
	if (!d->loop.stopping)
		return patience_ms;
	if (!*until_ms) {
		*until_ms = clock_monotonic_ms() + STOP_MS;
		chain_stop(&d->chain);
	}
	return clock_left_ms(*until_ms);
}

/* Reads until the sender is ready, or has ended; that it has closed its output is not enough, nor
 * that a child of its keeps it open. Returns false when it has been silent for too long. */
static bool follow(struct dispatcher *d, struct said *said, int patience_ms)
{
	enum { SIGNALS, OUTPUT, POLLED };
	struct pollfd polled[POLLED] = {
		[SIGNALS] = { .fd = d->loop.signals, .events = POLLIN },
		[OUTPUT] = { .fd = d->chain.out, .events = POLLIN },
	};
	int64_t until_ms = 0;

	while (said_goes_on(said)) {
		int wait_ms = left_ms(d, patience_ms, &until_ms), ready;
		bool ended = chain_has_ended(&d->chain);

		if (wait_ms == 0 && !ended)
			return true; /* we are to stop, and it does not */
		ready = poll(polled, POLLED, ended ? 0 : wait_ms);
		if (ready < 0) {
			if (errno == EINTR)
				continue;
			die(EXIT_BUG, "unable to poll: %s", strerror(errno));
		}
		if (polled[SIGNALS].revents)
			loop_take_signals(&d->loop);
		if (polled[OUTPUT].revents) {
			if (!said_take(said, d->chain.out))
				polled[OUTPUT].fd = -1;
		} else if (ended) {
			return true;
		} else if (ready == 0) {
			return until_ms > 0;
		}
	}
	return true;
}

/* What a shell and the dynamic loader end with when there is something that they cannot run. */
static bool is_own(int status)
{
	return status == 126 || status == 127;
}

/* Follows the sender until it is ready, or ends it when it does not by itself, and waits for it. */
static int status_of(struct dispatcher *d, struct said *said)
{
	const struct claimed *job = said->attempt->claimed;
	struct outcome *outcome = said->outcome;
	int patience_ms = silence_ms(job->target), status;
	bool in_time = follow(d, said, patience_ms);

	if (said->ready) {
		if (said_is_through(said))
			chain_keep(d, job);
		else
			chain_end(d);
		return 0; /* or 1: the lines tell */
	}
	status = chain_kill(d);
	if (!in_time)
		(void)snprintf(outcome->reason, sizeof(outcome->reason),
			"send-%s told nothing for %d s and was ended", job->target->type,
			patience_ms / 1000);
	if (!in_time)
		return EXIT_TEMPORARY;
	if (is_own(status) && said->attempt->answers.answered == 0)
		(void)snprintf(outcome->own_fault, sizeof(outcome->own_fault),
			"send-%s could not be loaded, status %d", job->target->type, status);
	/* A bug is the sender's: it is no sign of the target. */
	return said->babbles ? EXIT_BUG : status;
}

/* Has a sender work on a list of images or (list < 0) probe, and follows it to its end. Whether it
 * could be run stands in outcome->own_fault. */
static int run_sender(
	struct dispatcher *d, struct attempt *attempt, struct outcome *outcome, int list)
{
	const struct claimed *job = attempt->claimed;
	struct said said = { .attempt = attempt, .outcome = outcome };

	outcome->handed = list >= 0 && chain_hand(d, job, list);
	if (!outcome->handed && chain_start(d, job, list) < 0) {
		(void)snprintf(outcome->own_fault, sizeof(outcome->own_fault),
			"unable to start send-%s: %s", job->target->type, strerror(errno));
		outcome->status = EXIT_TEMPORARY;
		return 0;
	}
	said.may_wait = d->chain.next >= 0;
	outcome->status = status_of(d, &said);
	said_end(&said);
	errno = said.broken;
	return said.broken ? -1 : 0;
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
		if (job->images < 0)
			log_info("sending job=%s target=%s images=%zu", job->job, job->target->name,
				count);
		result = run_sender(d, attempt, outcome, list);
	}
	saved = errno;
	(void)close(list); /* memory */
	errno = saved;
	return result;
}
