#define _GNU_SOURCE /* pipe2 */
#include "curl.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/run.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { LINE_SIZE = 4096, WORD_SIZE = 33, ANSWER_MAX = 1 << 20, NO_END = -2 };

/* Where in curl's output we are. */
struct output {
	char word[WORD_SIZE]; /* what the lines of ours begin with */
	int fd;
	char data[LINE_SIZE]; /* read, and taken up to at */
	size_t at, end;
	int64_t patience_ms, deadline_ms; /* for an answer that has begun; 0: none has */
	const struct request *request;
	struct reply reply;
	size_t seen;       /* bytes of the current answer's body */
	size_t nth, count; /* the request that it answers, of so many */
	curl_reply_fn *take;
	void *context;
};

static int make_word(char *out)
{
	uint64_t random[2];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -1;
	(void)snprintf(out, WORD_SIZE, "%016llx%016llx", (unsigned long long)random[0],
		(unsigned long long)random[1]);
	return 0;
}

/* One line of curl's configuration. In quotes, curl takes a backslash before these two away. */
static void add(struct buf *config, const char *option, const char *value)
{
	buf_printf(config, "%s = \"", option);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_puts(config, "\\");
		buf_add(config, value, 1);
	}
	buf_puts(config, "\"\n");
}

/* What one request needs; "next" in between makes curl forget all of it. */
static void add_request(struct buf *config, const struct bucket *bucket,
	const struct request *request, const char *word, size_t nth)
{
	if (nth > 0)
		buf_puts(config, "next\n");
	/* Header lines that we set ourselves are signed as well. "Expect:" would be, and then not
	 * sent. */
	buf_puts(config, "silent\nno-buffer\ngloboff\nhttp1.1\n");
	buf_printf(config, "connect-timeout = %ld\nspeed-limit = 1\nspeed-time = %ld\n",
		bucket->timeout_s, bucket->timeout_s);
	if (bucket->rate > 0)
		buf_printf(config, "limit-rate = %ld\n", bucket->rate);
	if (bucket->ca_file)
		add(config, "cacert", bucket->ca_file);
	buf_printf(config, "aws-sigv4 = \"aws:amz:%s:s3\"\n", bucket->region);
	add(config, "user", bucket->user);
	add(config, "url", request->url);
	if (request->file) {
		add(config, "upload-file", request->file);
		add(config, "header", "Content-Type: application/dicom");
	}
	buf_printf(config, "header = \"x-amz-content-sha256: %s\"\n", request->sha256);
	buf_printf(config,
		"write-out = \"\\n%s %zu %%{http_code} "
		"%%{exitcode} %%{size_upload}\\t%%{errormsg}\\t%%header{etag}\\n\"\n",
		word, nth);
}

static int make_config(
	const struct bucket *bucket, const struct request *request, size_t count, const char *word)
{
	struct buf config = { 0 };

	for (size_t i = 0; i < count; i++)
		add_request(&config, bucket, &request[i], word, i);
	return memory_buf("curl configuration", &config, false);
}

static void add_body(struct output *o, const char *line)
{
	size_t length = strlen(line), room = sizeof(o->reply.body) - 1 - o->reply.length;

	o->seen += length;
	if (length > room)
		length = room;
	memcpy(o->reply.body + o->reply.length, line, length);
	o->reply.length += length;
	o->reply.body[o->reply.length] = '\0';
}

/* The end of one answer. Returns false when its taker wants no more, or when curl talks nonsense.
 */
static bool end_reply(struct output *o, char *line)
{
	char *message = strchr(line, '\t'), *etag = message ? strrchr(line, '\t') : NULL;
	unsigned long nth;
	long long uploaded;
	bool go_on;

	if (!message || etag == message)
		return false;
	*message++ = '\0';
	*etag++ = '\0';
	if (sscanf(line, "%lu %d %d %lld", &nth, &o->reply.status, &o->reply.exit, &uploaded) !=
			4 ||
		nth != o->nth || nth >= o->count)
		return false;
	o->reply.whole = uploaded == o->request[nth].size;
	o->reply.etag = *etag != '\0' && *etag != '\n';
	(void)snprintf(o->reply.message, sizeof(o->reply.message), "%s", message); /* longer: cut */
	go_on = o->take(o->context, nth, &o->reply);
	o->reply = (struct reply){ 0 };
	o->seen = 0;
	o->deadline_ms = 0;
	o->nth++;
	return go_on;
}

/* An answer that does not come to its end, told with curl's status for a file that is too large
 * (63), or a time-out (28). */
static bool endless(struct output *o, int code, const char *message)
{
	o->reply.exit = code;
	(void)snprintf(o->reply.message, sizeof(o->reply.message), "%s", message);
	if (o->nth < o->count)
		(void)o->take(o->context, o->nth, &o->reply);
	return false;
}

/* Waits for more, with answering for the rest of an answer: curl has a time-out for one in which
 * nothing moves, but a server may move a byte from time to time. Returns as read(2), NO_END after
 * the deadline. */
static int fill(struct output *o, bool answering)
{
	struct pollfd polled = { .fd = o->fd, .events = POLLIN };
	int ready;
	ssize_t n;

	if (answering && !o->deadline_ms)
		o->deadline_ms = clock_monotonic_ms() + o->patience_ms;
	do
		ready = poll(&polled, 1, o->deadline_ms ? clock_left_ms(o->deadline_ms) : -1);
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return NO_END;
	n = read(o->fd, o->data, sizeof(o->data));
	o->at = 0;
	o->end = n > 0 ? (size_t)n : 0;
	return (int)n;
}

/* Reads a line, or a piece of a longer one. NUL bytes become blanks. Returns 0 at the end, NO_END
 * when there is none. */
static int next_line(struct output *o, char *line, size_t size, bool *ends)
{
	size_t n = 0, length = strlen(o->word);
	int got = 1;

	*ends = false;
	while (n < size - 1 && !*ends) {
		/* What is no beginning of ours, or follows the newline before it, is an answer's.
		 */
		bool answering =
			o->seen > 1 || strncmp(line, o->word, n < length ? n : length) != 0;

		if (o->at == o->end && (got = fill(o, answering)) <= 0)
			break;
		*ends = o->data[o->at] == '\n';
		line[n++] = o->data[o->at] ? o->data[o->at] : ' ';
		o->at++;
	}
	line[n] = '\0';
	return got == NO_END ? NO_END : n > 0;
}

/* Returns false when curl is to be ended. */
static bool listen_to(struct output *o)
{
	char line[LINE_SIZE];
	bool begins = true, ends;
	size_t length = strlen(o->word);
	int got;

	for (; (got = next_line(o, line, sizeof(line), &ends)) > 0; begins = ends) {
		bool ours = begins && strncmp(line, o->word, length) == 0 && line[length] == ' ';

		if (ours && !end_reply(o, line + length + 1))
			return false;
		if (!ours)
			add_body(o, line);
		if (o->seen > ANSWER_MAX)
			return endless(o, 63, "the answer is longer than any that is due");
	}
	return got == 0 || endless(o, 28, "the answer does not come to its end");
}

static pid_t start(int config, int out, int keep)
{
	static const char *const argv[] = { "curl", "-q", "-K", "-", NULL };
	static const char *const environment[] = { "LC_ALL=C", NULL };
	struct run run = RUN_DEFAULT;

	run.argv = argv;
	run.environment = environment;
	run.in = config;
	run.out = out;
	run.keep = keep;
	return run_start(&run);
}

int curl_run(const struct bucket *bucket, const struct request *request, size_t count, int keep,
	curl_reply_fn *take, void *context)
{
	struct output output = { .take = take,
		.context = context,
		.request = request,
		.count = count,
		.patience_ms = bucket->timeout_s * 1000LL };
	int config = -1, out[2] = { -1, -1 }, result = -1, saved;
	pid_t pid;

	if (make_word(output.word) < 0)
		return -1;
	config = make_config(bucket, request, count, output.word);
	if (config < 0 || pipe2(out, O_CLOEXEC) < 0)
		goto done;
	output.fd = out[0];
	pid = start(config, out[1], keep);
	if (pid < 0)
		goto done;
	(void)close(out[1]); /* curl's alone now, so that its end is our end of file */
	out[1] = -1;
	if (!listen_to(&output))
		(void)kill(pid, SIGKILL); /* it may be gone already */
	result = run_wait(pid);
done:
	saved = errno;
	for (int i = 0; i < 2; i++)
		if (out[i] >= 0)
			(void)close(out[i]);
	if (config >= 0)
		(void)close(config);
	errno = saved;
	return result;
}
