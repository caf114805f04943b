#include "rsync.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ARGUMENTS = 32, ARGUMENT = 64, MIN_RATE = 512, WORDLESS_MAX = 4 };

/* One argument made of words and a number. */
struct number {
	char text[ARGUMENT];
};

static const char *numbered(struct number *n, const char *word, long value, const char *unit)
{
	(void)snprintf(n->text, sizeof(n->text), "%s%ld%s", word, value, unit); /* it is short */
	return n->text;
}

/* The options of the connection. */
static size_t add_connection(const struct rsync *r, const char **argv, struct number *number)
{
	const struct destination *d = r->destination;
	size_t n = 0;

	argv[n++] = numbered(&number[0], "--timeout=", d->timeout_s, "");
	if (d->rate_limit > 0)
		argv[n++] = numbered(&number[1],
			"--bwlimit=", d->rate_limit > MIN_RATE ? d->rate_limit : MIN_RATE, "b");
	if (d->kind == DESTINATION_SSH) {
		argv[n++] = "-e";
		argv[n++] = d->shell;
	} else if (d->kind == DESTINATION_DAEMON) {
		argv[n++] = "--no-motd";
		argv[n++] = numbered(&number[2], "--contimeout=", d->timeout_s, "");
		if (d->port > 0)
			argv[n++] = numbered(&number[3], "--port=", d->port, "");
	}
	return n;
}

static size_t add_act(const struct rsync *r, enum rsync_act act, const char **argv)
{
	static const char *const sending[] = { "--files-from=-", "--from0", "--checksum",
		"--whole-file", "--mkpath", "--backup", NULL };
	static const char *const verifying[] = { "--dry-run", "-ii", "--out-format=%i %n", NULL };
	static const char *const marking[] = { "--copy-links", "--ignore-times", "--mkpath", NULL };
	static const char *const listing[] = { "--list-only", "--dirs", "--copy-links", NULL };
	const char *const *lists[2] = { sending, act == RSYNC_VERIFY ? verifying : NULL };
	size_t n = 0;

	if (act == RSYNC_MARK || act == RSYNC_LIST)
		lists[0] = act == RSYNC_MARK ? marking : listing;
	for (int i = 0; i < 2; i++)
		for (size_t k = 0; lists[i] && lists[i][k]; k++)
			argv[n++] = lists[i][k];
	if (act != RSYNC_LIST && !r->old)
		argv[n++] = "--fsync";
	return n;
}

static pid_t start(
	const struct rsync *r, enum rsync_act act, const char *path, int in, int out, int errors)
{
	/* What a user's environment might change. */
	static const char *const environment[] = { "LC_ALL=C", "RSYNC_OLD_ARGS=0",
		"RSYNC_PROTECT_ARGS=0", NULL };
	const char *argv[MAX_ARGUMENTS] = { "rsync" };
	struct run run = RUN_DEFAULT;
	struct buf suffix = { 0 }, password = { 0 };
	struct number number[4] = { 0 }, empty = { 0 };
	size_t n = 1;
	pid_t pid;

	n += add_connection(r, argv + n, number);
	n += add_act(r, act, argv + n);
	buf_printf(&suffix, "--suffix=%s", r->suffix);
	if (act == RSYNC_SEND || act == RSYNC_VERIFY)
		argv[n++] = suffix.data;
	if (r->destination->password_file) {
		buf_printf(&password, "--password-file=%s", r->destination->password_file);
		argv[n++] = password.data;
	}
	argv[n++] = "--";
	if (act == RSYNC_MARK) /* standard input under the one name that rsync looks up itself */
		argv[n++] = numbered(&empty, "/proc/self/fd/", in, "");
	else if (act != RSYNC_LIST)
		argv[n++] = ".";
	argv[n++] = path;
	run.argv = argv;
	run.environment = environment;
	run.in = act == RSYNC_MARK ? -1 : in;
	run.keep = act == RSYNC_MARK ? in : -1;
	run.out = out;
	run.error = errors;
	errno = ENOMEM;
	pid = suffix.failed || password.failed ? -1 : run_start(&run);
	buf_free(&suffix);
	buf_free(&password);
	return pid;
}

static int run_once(struct rsync *r, enum rsync_act act, const char *path, const struct buf *list)
{
	int in = memory_file("list", list ? list->data : NULL, list ? list->length : 0, false);
	int out = memory_file("rsync's output", NULL, 0, false);
	int errors = memory_file("rsync's errors", NULL, 0, false), status = -1, saved;
	pid_t pid = -1;

	if (in >= 0 && out >= 0 && errors >= 0)
		pid = start(r, act, path, in, out, errors);
	if (pid > 0)
		status = run_wait(pid);
	buf_free(&r->out); /* of the run before */
	buf_free(&r->errors);
	if (status >= 0 && (memory_read(out, &r->out) < 0 || memory_read(errors, &r->errors) < 0))
		status = -1;
	saved = errno;
	if (in >= 0)
		(void)close(in); /* these are memory */
	if (out >= 0)
		(void)close(out);
	if (errors >= 0)
		(void)close(errors);
	errno = saved;
	return status;
}

int rsync_run(struct rsync *r, enum rsync_act act, const char *path, const struct buf *list)
{
	int status = run_once(r, act, path, list);

	/* The words of the other side are lost when rsync finds that it has gone while it writes
	 * (3.5.0: 5 of 60 times over ssh); whose failure it is depends on them. ssh may have said
	 * something, of a home directory that is missing, say. */
	for (int i = 0;
		i < WORDLESS_MAX && status == RSYNC_FILE_IO && !strstr(r->errors.data, "rsync: ");
		i++)
		status = run_once(r, act, path, list);
	if (status <= 0 || r->old || !strstr(r->errors.data, "--fsync: unknown option"))
		return status;
	log_warning("rsync at the target is older than 3.2.4 and cannot sync what it writes; "
		    "update it");
	r->old = true;
	return run_once(r, act, path, list);
}

void rsync_close(struct rsync *r)
{
	buf_free(&r->out);
	buf_free(&r->errors);
}
