#define _GNU_SOURCE /* pipe2 */
#include "session.h"

#include "base/run.h"
#include "sender/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FIXED_ARGUMENTS = 16,
	LAST_WORDS_MS = 1000, /* of the ssh of an sftp that has ended */
	MAX_ERRORS = 1 << 16, /* bytes of standard error that are kept */
	KBIT = 1024,          /* what sftp -l counts in */
	COUNTERS = 512,
};

enum { OUT, ERROR, STREAMS };

static void close_one(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* a pipe */
	*fd = -1;
}

static pid_t spawn(const struct session_target *t, int in, int out, int error)
{
	static const char *const environment[] = { "LC_ALL=C", NULL };
	const char *argv[FIXED_ARGUMENTS + SENDER_SSH_OPTIONS];
	struct run run = RUN_DEFAULT;
	char user[300], host[300], limit[32];
	long kbit = t->rate_limit * 8 / KBIT;
	size_t n = 0;

	(void)snprintf(user, sizeof(user), "-oUser=%s", t->username);
	(void)snprintf(host, sizeof(host), strchr(t->host, ':') ? "[%s]" : "%s", t->host);
	(void)snprintf(limit, sizeof(limit), "%ld", kbit > 0 ? kbit : 1);
	argv[n++] = "sftp";
	argv[n++] = "-b"; /* first: it sets BatchMode */
	argv[n++] = "-";
	argv[n++] = "-F";
	argv[n++] = "none";
	argv[n++] = user;
	for (size_t i = 0; i < t->ssh->count; i++)
		argv[n++] = t->ssh->option[i];
	if (t->rate_limit > 0) {
		argv[n++] = "-l";
		argv[n++] = limit;
	}
	argv[n++] = "--";
	argv[n++] = host;
	argv[n] = NULL;
	run.argv = argv;
	run.environment = environment;
	run.in = in;
	run.out = out;
	run.error = error;
	run.keep = t->keep;
	return run_start(&run);
}

int session_start(struct session *s, const struct session_target *target)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, error[2] = { -1, -1 }, saved;

	session_free(s);
	*s = (struct session){ .target = target, .in = -1, .out = -1, .error = -1 };
	if (pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0 &&
		pipe2(error, O_CLOEXEC | O_NONBLOCK) == 0)
		s->pid = spawn(target, in[0], out[1], error[1]);
	saved = errno;
	close_one(&in[0]);
	close_one(&out[1]);
	close_one(&error[1]);
	s->in = in[1];
	s->out = out[0];
	s->error = error[0];
	if (s->pid > 0)
		return 0;
	s->pid = 0;
	close_one(&s->in);
	close_one(&s->out);
	close_one(&s->error);
	errno = saved;
	return -1;
}

/* Everything but letters and digits gets a backslash: it stands for itself then, in sftp's own
 * quoting and in its patterns alike. '-' at the front would be an option. */
static void quote(struct buf *b, const char *name)
{
	if (*name == '-')
		buf_puts(b, "./");
	for (const unsigned char *c = (const unsigned char *)name; *c; c++) {
		bool plain = *c >= 0x80 || (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
			     (*c >= 'a' && *c <= 'z') || strchr("/._-", *c);

		buf_puts(b, plain ? "" : "\\");
		buf_add(b, c, 1);
	}
}

void session_command(struct session *s, const char *command, const char *first, const char *second)
{
	buf_puts(&s->commands, command);
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? first : second;

		if (!name)
			continue;
		buf_puts(&s->commands, " ");
		quote(&s->commands, name);
	}
	buf_puts(&s->commands, "\n");
}

/* How much sftp has read and written so far (proc(5)): it says nothing while it sends a large
 * image. */
static void read_counters(pid_t pid, char out[COUNTERS])
{
	char path[64];
	ssize_t n;
	int fd;

	memset(out, 0, COUNTERS);
	(void)snprintf(path, sizeof(path), "/proc/%ld/io", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, out, COUNTERS - 1);
	if (n < 0)
		out[0] = '\0'; /* without the counters, only words are progress */
	(void)close(fd);       /* only read */
}

/* Takes what is there of standard error. Returns false at its end. */
static bool take_errors(struct session *s)
{
	char data[4096];
	ssize_t n;

	while ((n = read(s->error, data, sizeof(data))) > 0)
		if (s->errors.length < MAX_ERRORS)
			buf_add(&s->errors, data, (size_t)n);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Takes what is there of standard output. 1: the comment is among it; -1: the end. */
static int take_output(struct session *s, const char *comment)
{
	char data[4096];
	ssize_t n = read(s->out, data, sizeof(data));
	int found = 0;

	if (n < 0)
		return errno == EINTR ? 0 : -1;
	if (n == 0)
		return -1;
	for (ssize_t i = 0; i < n; i++) {
		if (data[i] != '\n') {
			buf_add(&s->line, &data[i], 1);
			continue;
		}
		if (s->line.data && strcmp(s->line.data, comment) == 0)
			found = 1;
		buf_free(&s->line);
	}
	return found;
}

/* Waits for the comment. 1: it came; -1: sftp has ended, or has been silent for too long. */
static int await(struct session *s, const char *comment)
{
	char before[COUNTERS], now[COUNTERS];
	bool errors_open = true;
	int found = 0;

	read_counters(s->pid, before);
	while (found == 0) {
		struct pollfd fds[STREAMS] = { [OUT] = { s->out, POLLIN, 0 },
			[ERROR] = { errors_open ? s->error : -1, POLLIN, 0 } };
		int n = poll(fds, STREAMS, (int)s->target->silence_s * 1000);

		if (n < 0 && errno != EINTR)
			sender_own_fault("unable to wait for sftp: %s", strerror(errno));
		if (n == 0) {
			read_counters(s->pid, now);
			s->silent = strcmp(before, now) == 0;
			if (s->silent)
				return -1;
			memcpy(before, now, sizeof(before));
		}
		if (n > 0 && fds[ERROR].revents)
			errors_open = take_errors(s);
		if (n > 0 && fds[OUT].revents)
			found = take_output(s, comment);
	}
	return found;
}

static void write_commands(struct session *s)
{
	const struct buf *b = &s->commands;
	size_t done = 0;
	ssize_t n;

	while (done < b->length) {
		n = write(s->in, b->data + done, b->length - done);
		if (n < 0 && errno != EINTR)
			return; /* it has ended, and its output will say so */
		done += n > 0 ? (size_t)n : 0;
	}
}

/* Waits for the end of the process whose output has ended, and for what its ssh has still to say.
 */
static int reap(struct session *s)
{
	struct pollfd error = { s->error, POLLIN, 0 };
	int status;

	close_one(&s->in);
	close_one(&s->out);
	status = run_wait(s->pid);
	while (poll(&error, 1, LAST_WORDS_MS) > 0 && take_errors(s))
		;
	close_one(&s->error);
	s->pid = 0;
	return status;
}

enum session_result session_run(struct session *s)
{
	char comment[32], line[64];
	bool confirmed;

	(void)snprintf(comment, sizeof(comment), "# %u", ++s->number);
	(void)snprintf(line, sizeof(line), "sftp> %s", comment);
	session_command(s, comment, NULL, NULL);
	buf_free(&s->errors);
	buf_puts(&s->errors, "");
	if (s->commands.failed)
		sender_no_memory();
	write_commands(s);
	buf_free(&s->commands);
	confirmed = await(s, line) > 0;
	if (confirmed)
		(void)take_errors(s); /* its end is that of sftp, which its output tells */
	if (s->errors.failed || s->line.failed)
		sender_no_memory();
	if (confirmed)
		return SESSION_OK;
	if (s->silent)
		(void)kill(s->pid, SIGTERM); /* which it hands on to its ssh */
	return reap(s) == 1 && !s->silent ? SESSION_REFUSED : SESSION_LOST;
}

void session_end(struct session *s)
{
	if (s->pid == 0)
		return;
	close_one(&s->in);
	(void)await(s, "\n"); /* no line is that: until the end */
	if (s->silent)
		(void)kill(s->pid, SIGTERM);
	(void)reap(s); /* nothing depends on it any more */
}

void session_free(struct session *s)
{
	buf_free(&s->commands);
	buf_free(&s->line);
	buf_free(&s->errors);
}
