/*
 * Runs the sender of a target's type on the images that the ledger lacks; dcmspool-sender(7) is the
 * contract between the two.
 */
#define _GNU_SOURCE /* memfd_create */
#include "dispatcher.h"

#include "base/log.h"
#include "base/run.h"
#include "base/str.h"
#include "conf/target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIELDS = 4, LINE_MAX_BYTES = 1 << 16, BAD_LINES_TOLD = 3 };

/* Longer than any image takes: senders have time-outs of their own. */
enum { SILENCE_S = 3600, SILENCE_MORE_S = 60, SILENCE_MAX_S = 2000000 };

/* The sender at work. */
struct sender {
	struct work *work;
	pid_t pid;
	int out;          /* its standard output */
	struct buf line;  /* what has been read of the current line */
	char reason[256]; /* why the target as a whole failed; "" when it did not say */
	int broken; /* errno of what keeps us from going on (the ledger could not be written), or 0
		     */
	bool cancelled;   /* by `dcmspool cancel`: stop */
	bool babbles;     /* wrote a line without end: stop */
	size_t bad_lines; /* that are none of dcmspool-sender(7) */
};

/* The names of the images to be sent, one a line, as a file without a name. */
static int list_to_send(const struct work *work, size_t *count)
{
	int fd = memfd_create("images", MFD_CLOEXEC);
	struct buf list = { 0 };

	*count = 0;
	for (size_t i = 0; i < work->image_count; i++) {
		const struct image *image = &work->images[i];

		if (image->stored || finish_given_up(work, image))
			continue;
		buf_printf(&list, "%s\n", image->name);
		++*count;
	}
	if (fd >= 0 && (list.failed ||
			       (list.length > 0 &&
				       write(fd, list.data, list.length) != (ssize_t)list.length) ||
			       lseek(fd, 0, SEEK_SET) < 0)) {
		(void)close(fd);
		fd = -1;
	}
	buf_free(&list);
	return fd;
}

static pid_t start_sender(const struct work *work, int list, int out)
{
	char **environment = target_environment(work->target, work->job);
	char *path = target_program(work->target);
	const char *argv[] = { path, list < 0 ? "-p" : NULL, NULL };
	struct run run = RUN_DEFAULT;
	pid_t pid = -1;
	int saved;

	if (path && environment) {
		run.argv = argv;
		run.environment = (const char *const *)environment;
		run.in = list;
		run.out = out;
		run.directory = work->dir;
		pid = run_start(&run);
	}
	saved = errno;
	if (pid < 0)
		log_error("unable to start %s: %s target=%s", path ? path : "the sender",
			strerror(errno), work->target->name);
	free(path);
	target_environment_free(environment);
	errno = saved;
	return pid;
}

/* A mistake in the sender. The first ones are told, then only how many there were. */
static void bad_line(struct sender *sender, const char *what, const char *line)
{
	if (sender->bad_lines++ < BAD_LINES_TOLD)
		log_error("send-%s %s: %.200s", sender->work->target->type, what, line);
}

/* Cuts "RESULT TAB STATUS TAB FILE TAB TEXT" into its fields. */
static bool split(char *line, char *field[FIELDS])
{
	field[0] = line;
	for (int i = 1; i < FIELDS; i++) {
		char *tab = strchr(field[i - 1], '\t');

		if (!tab)
			return false;
		*tab = '\0';
		field[i] = tab + 1;
	}
	for (int i = 0; i < FIELDS; i++)
		text_clean(field[i]); /* a tab would make a ledger line that nobody reads */
	return true;
}

static void take_answer(struct sender *sender, char *const field[FIELDS])
{
	struct work *work = sender->work;
	struct image *image = ledger_find(work, field[2]);
	bool stored = strcmp(field[0], "stored") == 0;

	if (!image) {
		bad_line(sender, "named an image that the job has not", field[2]);
	} else if (image->answered) {
		bad_line(sender, "answered an image twice, the first answer counts", field[2]);
	} else if (ledger_add(work, image, stored, field[1], field[3]) < 0) {
		sender->broken = errno;
		log_error("unable to write the ledger of job %s: %s", work->job,
			strerror(sender->broken));
	}
	sender->cancelled = finish_is_cancelled(work);
}

static void take_line(struct sender *sender, char *line)
{
	char *field[FIELDS];

	if (!split(line, field)) {
		bad_line(sender, "wrote a line that is none of dcmspool-sender(7)", line);
	} else if (strcmp(field[0], "target") == 0) {
		(void)snprintf(sender->reason, sizeof(sender->reason), "%s", field[3]);
		text_clean(sender->reason); /* it may have been cut inside a character */
	} else if (strcmp(field[0], "stored") == 0 || strcmp(field[0], "failed") == 0) {
		take_answer(sender, field);
	} else {
		bad_line(sender, "wrote a line that is none of dcmspool-sender(7)", field[0]);
	}
}

/* Takes what the sender wrote. Returns false at its end. */
static bool take_output(struct sender *sender)
{
	char data[4096], *newline;
	ssize_t n = read(sender->out, data, sizeof(data));

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return false;
	buf_add(&sender->line, data, (size_t)n);
	while (sender->line.data &&
		(newline = memchr(sender->line.data, '\n', sender->line.length))) {
		size_t used = (size_t)(newline - sender->line.data) + 1;

		*newline = '\0';
		take_line(sender, sender->line.data);
		sender->line.length -= used;
		memmove(sender->line.data, sender->line.data + used, sender->line.length);
	}
	if (sender->line.failed)
		sender->broken = ENOMEM;
	sender->babbles = sender->line.length > LINE_MAX_BYTES;
	return sender->broken == 0 && !sender->babbles;
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
 * of its keeps it open. Ends it when we are to stop, or when it has been silent for too long: then
 * returns false. */
static bool follow(struct dispatcher *d, struct sender *sender)
{
	enum { SIGNALS, OUTPUT, POLLED };
	struct pollfd polled[POLLED] = {
		[SIGNALS] = { .fd = d->loop.signals, .events = POLLIN },
		[OUTPUT] = { .fd = sender->out, .events = POLLIN },
	};
	const int patience_ms = silence_ms(sender->work->target);
	bool silent = false;

	while (!d->loop.stopping && sender->broken == 0 && !sender->cancelled && !sender->babbles &&
		!silent) {
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
			if (!take_output(sender))
				polled[OUTPUT].fd = -1;
		} else if (ended) {
			break;
		}
		silent = ready == 0;
	}
	d->loop.child_ended = false;
	if (silent)
		(void)snprintf(sender->reason, sizeof(sender->reason),
			"send-%s told nothing for %d s and was ended", sender->work->target->type,
			patience_ms / 1000);
	if (sender->babbles)
		bad_line(sender, "wrote a line of more than 64 KiB and was ended",
			sender->line.data);
	if (sender->bad_lines > BAD_LINES_TOLD)
		log_error("send-%s wrote %zu such lines in all", sender->work->target->type,
			sender->bad_lines);
	if (!has_ended(sender))
		(void)kill(sender->pid, SIGKILL); /* what it has sent and not told is sent again */
	return !silent;
}

/* Starts the sender, with a list of images or (list < 0) as a probe, and follows it to its end.
 * Returns its exit status; EXIT_TEMPORARY with a reason when it cannot be run: the other targets go
 * on. */
static int run_sender(struct dispatcher *d, struct sender *sender, int list)
{
	const char *type = sender->work->target->type;
	int pipes[2], status;

	if (pipe2(pipes, O_CLOEXEC) < 0) {
		log_error(
			"unable to prepare sending: %s job=%s", strerror(errno), sender->work->job);
		return -1;
	}
	sender->pid = start_sender(sender->work, list, pipes[1]);
	if (sender->pid < 0) {
		(void)snprintf(sender->reason, sizeof(sender->reason),
			"unable to start send-%s: %s", type, strerror(errno));
		sender->work->own_fault = true;
	}
	(void)close(pipes[1]); /* the sender's end; ours would hide its end of file */
	sender->out = pipes[0];
	status = EXIT_TEMPORARY;
	if (sender->pid >= 0) {
		bool in_time = follow(d, sender);

		status = run_wait(sender->pid);
		if (!in_time)
			status = EXIT_TEMPORARY;
		else if (sender->babbles)
			status = EXIT_BUG; /* the sender's: it is no sign of the target */
	}
	(void)close(pipes[0]); /* only read */
	buf_free(&sender->line);
	return status;
}

int send_probe(struct dispatcher *d, struct work *work, char *reason, size_t size)
{
	struct sender sender = { .work = work };
	int status = run_sender(d, &sender, -1);

	(void)snprintf(reason, size, "%s", sender.reason);
	errno = sender.broken;
	return status == EXIT_TEMPORARY || status == EXIT_PERMANENT || status < 0 ? status : 0;
}

int send_images(struct dispatcher *d, struct work *work, char *reason, size_t size)
{
	struct sender sender = { .work = work };
	size_t count;
	int list = list_to_send(work, &count), status = 0;

	if (list < 0) {
		log_error("unable to prepare sending: %s job=%s", strerror(errno), work->job);
		return -1;
	}
	if (count > 0 && ledger_reserve(work, count) < 0) {
		sender.broken = errno;
		log_error("unable to write the ledger of job %s: %s", work->job,
			strerror(sender.broken));
	} else if (count > 0) {
		log_info("sending job=%s target=%s images=%zu", work->job, work->target->name,
			count);
		status = run_sender(d, &sender, list);
	}
	(void)snprintf(reason, size, "%s", sender.reason);
	(void)close(list); /* memory */
	errno = sender.broken;
	return sender.broken ? -1 : status;
}
