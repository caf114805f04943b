/*
 * Several associations at once: one child process each, with every n-th image, so that the images
 * arrive nearly in order. What a child would write to standard output goes through a pipe to the
 * parent, which alone answers: so the dead target is told once, and it is known what is left. A
 * child's lines are shorter than PIPE_BUF, hence never torn.
 */
#define _GNU_SOURCE /* pipe2 */
#include "attempt.h"

#include "base/log.h"
#include "base/run.h"
#include "sender/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { FIELDS = 4, LINE_SIZE = 4096, MAX_CHILDREN = 16 };

/* The child: never returns. */
static _Noreturn void work(
	const struct sender *all, const struct peer *peer, size_t first, size_t step, int out)
{
	struct sender sender = { .image = calloc(all->count, sizeof(*all->image)) };
	static struct attempt attempt;

	if (!sender.image || dup2(out, STDOUT_FILENO) < 0)
		die(EXIT_TEMPORARY, "unable to open one more association: %s", strerror(errno));
	for (size_t i = first; i < all->count; i += step)
		sender.image[sender.count++] = all->image[i];
	attempt_all(&attempt, &sender, peer);
	attempt_end(&attempt);
	_exit(sender_close(&sender));
}

/* Starts a child that dies with us. */
static pid_t start(
	const struct sender *all, const struct peer *peer, size_t first, size_t step, int out)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(EXIT_TEMPORARY);
		stop_own();
		work(all, peer, first, step, out);
	}
	return pid;
}

/* Takes a child's line. The target's failure is kept in reason: it need not be the end. */
static void take(struct sender *sender, char *line, char *reason, size_t size)
{
	char *field[FIELDS] = { line };
	long image, status;

	for (int i = 1; i < FIELDS; i++) {
		char *tab = strchr(field[i - 1], '\t');

		if (!tab)
			return; /* a child that was killed while it wrote */
		*tab = '\0';
		field[i] = tab + 1;
	}
	if (strcmp(field[0], "target") == 0) {
		(void)snprintf(reason, size, "%s", field[3]);
		return;
	}
	image = sender_find(sender, field[2]);
	if (image < 0)
		return;
	status = strcmp(field[1], "-") == 0 ? SENDER_NO_STATUS : strtol(field[1], NULL, 16);
	sender_answer(sender, (size_t)image,
		strcmp(field[0], "stored") == 0  ? SENDER_STORED
		: strcmp(field[0], "doubt") == 0 ? SENDER_DOUBT
		: strcmp(field[0], "never") == 0 ? SENDER_NEVER
						 : SENDER_FAILED,
		(int)status, field[3]);
}

/* All that the children say, until the last one has ended. */
static void follow(struct sender *sender, FILE *lines, char *reason, size_t size)
{
	char line[LINE_SIZE];

	while (fgets(line, sizeof(line), lines)) {
		size_t length = strcspn(line, "\n");

		if (!line[length])
			continue; /* cut off */
		line[length] = '\0';
		take(sender, line, reason, size);
	}
}

/* Over n associations. Returns 0 when the children have ended, -1 with errno when there were none.
 */
static int send_over(
	struct sender *sender, const struct peer *peer, size_t n, char *reason, size_t size)
{
	struct peer share = *peer;
	pid_t child[MAX_CHILDREN];
	int out[2], saved;
	size_t started = 0;
	FILE *lines;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -1;
	lines = fdopen(out[0], "r");
	stop_hold();
	share.rate = peer->rate > 0 && peer->rate / (long)n == 0 ? 1 : peer->rate / (long)n;
	while (lines && started < n &&
		(child[started] = start(sender, &share, started, n, out[1])) > 0)
		started++;
	saved = errno;
	(void)close(out[1]); /* the children's alone now, so that their end is our end of file */
	stop_pass(child, started);
	if (lines && started > 0)
		follow(sender, lines, reason, size);
	stop_hold();
	for (size_t i = 0; i < started; i++)
		(void)run_wait(child[i]); /* the lines are the evidence */
	stop_pass(NULL, 0);
	stop_let();
	if (lines)
		(void)fclose(lines); /* only read */
	else
		(void)close(out[0]);
	errno = saved;
	return started > 0 ? 0 : -1;
}

void attempt_parallel(struct attempt *attempt, struct sender *sender, const struct peer *peer)
{
	size_t n = (size_t)peer->connections;
	char reason[512] = "";

	n = n < sender->count ? n : sender->count;
	if (n > MAX_CHILDREN)
		n = MAX_CHILDREN;
	if (n > 1 && send_over(sender, peer, n, reason, sizeof(reason)) < 0)
		log_warning("unable to open several associations at once: %s; one is used",
			strerror(errno));
	if (sender->answered == sender->count)
		return;
	if (reason[0] && sender->answered == 0) {
		sender_target_failed(sender, "%s", reason);
		return;
	}
	if (reason[0])
		log_warning(
			"an association failed while others did not; the rest is sent over one: %s",
			reason);
	attempt_all(attempt, sender, peer);
}
