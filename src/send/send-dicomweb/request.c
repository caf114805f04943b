#define _GNU_SOURCE /* pipe2 */
#include "request.h"

#include "base/clock.h"
#include "base/memory.h"
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

/* Below this, curl does not wait for "100 Continue": some servers never say it. */
enum { EXPECT_FROM = 1 << 20, REPORT_MAX = 1 << 18 };
/* curl keeps to a rate by sending a piece and sleeping: pieces of 64 KiB, and some seconds to look
 * back. */
enum { CURL_PIECE = 2 * (1 << 16) };

static const char mark[] = "\ndcmspool\n";
#define REPORT                                                                                     \
	"%{stderr}\\ndcmspool\\n%{http_code}\\n%{size_upload}\\n%{content_type}\\n"                \
	"%{redirect_url}\\n%header{retry-after}\\n%{errormsg}\\n"

char *request_token(void)
{
	char *token = sender_secret("TOKEN_FILE");

	if (token && text_has_control(token))
		sender_never("TARGET_TOKEN_FILE has a control character in it");
	return token;
}

/* A line of curl's configuration: name = "value", quoted as curl(1) says of -K. */
static void option(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "%s = \"", name);
	for (; *value; value++)
		buf_printf(b, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
	buf_puts(b, "\"\n");
}

static void credentials(struct buf *b, const struct request_target *t)
{
	char *token = t->bearer ? request_token() : NULL;
	struct buf text = { 0 };

	if (token)
		buf_printf(&text, "Authorization: Bearer %s", token);
	else if (t->username)
		buf_printf(&text, "%s:%s", t->username, t->password);
	if (text.data)
		option(b, token ? "header" : "user", text.data);
	b->failed |= text.failed;
	buf_free(&text);
	free(token);
}

/* What both kinds of request have. */
static void common(struct buf *b, const struct request_target *t, const char *url)
{
	option(b, "url", url);
	buf_puts(b, "silent\nno-buffer\ngloboff\nhttp1.1\nproto = \"http,https\"\nuser-agent = "
		    "\"dcmspool\"\n"
		    "header = \"Accept: application/dicom+json\"\nwrite-out = \"" REPORT "\"\n");
	buf_printf(b, "connect-timeout = %ld\n", t->timeout_s);
	if (t->ca_file)
		option(b, "cacert", t->ca_file);
	credentials(b, t);
}

static void posting(struct buf *b, const struct request_target *t, const struct body *body)
{
	long still_s = t->timeout_s;

	common(b, t, t->store);
	buf_printf(b,
		"request = \"POST\"\nupload-file = \"-\"\nheader = \"Transfer-Encoding:\"\n"
		"header = \"Content-Length: %lld\"\nheader = \"Content-Type: multipart/related; "
		"type=\\\"application/dicom\\\"; boundary=%s\"\n",
		(long long)body->length, body->boundary);
	if (body->length < EXPECT_FROM)
		buf_puts(b, "header = \"Expect:\"\n");
	if (t->rate_limit > 0) {
		buf_printf(b, "limit-rate = %ld\n", t->rate_limit);
		still_s += CURL_PIECE / t->rate_limit;
	}
	/* Nothing moves in either direction for so long; the wait for the answer counts. */
	buf_printf(b, "speed-limit = 1\nspeed-time = %ld\n", still_s);
}

/* What goes wrong here is told as if curl had: the transfer has broken. */
static void broken(struct request_result *r, const char *message)
{
	(void)snprintf(r->message, sizeof(r->message), "%s", message);
}

/* Takes a piece of the answer. Returns false at its end, or when it is of no use. */
static bool take(struct request_result *r, int fd, size_t max)
{
	char data[16384];
	ssize_t n = read(fd, data, sizeof(data));

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return false;
	buf_add(&r->answer, data, (size_t)n);
	if (r->answer.failed)
		broken(r, "no memory for the answer");
	else if (r->answer.length > max)
		broken(r, "the answer is longer than any that is due");
	return !r->message[0];
}

/* Feeds curl and hears what it has to say. Returns when its output has ended, or when message or
 * body tell that there is no use in going on. */
static void transfer(
	struct body *body, int *in, int out, size_t max, long timeout_s, struct request_result *r)
{
	enum { IN, OUT, POLLED };
	struct pollfd polled[POLLED] = {
		[IN] = { .fd = *in, .events = POLLOUT },
		[OUT] = { .fd = out, .events = POLLIN },
	};
	int64_t deadline_ms = 0;
	bool open = true, begun = false;

	while (open) {
		int wait_ms = deadline_ms ? clock_left_ms(deadline_ms) : -1;

		if (wait_ms == 0) {
			broken(r, "the answer does not come to its end");
			return;
		}
		if (poll(polled, POLLED, wait_ms) < 0) {
			if (errno != EINTR)
				broken(r, strerror(errno));
			continue;
		}
		if (polled[IN].revents && (r->body = body_write(body, *in)) != BODY_MORE) {
			if (r->body == BODY_UNREADABLE)
				return;
			(void)close(*in); /* a pipe */
			*in = polled[IN].fd = -1;
		}
		if (polled[OUT].revents) {
			open = take(r, out, max);
			begun = true;
		}
		if (begun && !deadline_ms &&
			r->body != BODY_MORE) /* slow sending is no slow answer */
			deadline_ms = clock_monotonic_ms() + timeout_s * INT64_C(1000);
	}
}

/* The next line of curl's report, NULL-terminated in place. */
static const char *next_line(char **text)
{
	char *line = *text, *end = line + strcspn(line, "\n");

	*text = *end ? end + 1 : end;
	*end = '\0';
	return line;
}

/* The server's words: printable ASCII only, or a ledger could not hold them. */
static void copy(char *out, size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text); /* a longer one is cut */
	for (; *out; out++)
		if (*out < ' ' || *out > '~')
			*out = '?';
}

static void read_report(int fd, struct request_result *r)
{
	char *text = calloc(1, REPORT_MAX + 1), *at;
	ssize_t n = text ? pread(fd, text, REPORT_MAX, 0) : -1;

	at = n > 0 ? strstr(text, mark) : NULL;
	if (at) {
		at += sizeof(mark) - 1;
		r->http = (int)strtol(next_line(&at), NULL, 10);
		r->uploaded = strtoll(next_line(&at), NULL, 10);
		copy(r->type, sizeof(r->type), next_line(&at));
		copy(r->location, sizeof(r->location), next_line(&at));
		copy(r->retry_after, sizeof(r->retry_after), next_line(&at));
		copy(r->message, sizeof(r->message), next_line(&at));
	} else if (n > 0) {
		at = text; /* its complaint about an option, say */
		copy(r->message, sizeof(r->message), next_line(&at));
	}
	if (r->http < 200) /* 100: it was only told to go on */
		r->http = 0;
	free(text);
}

/* curl has said all that it will, or is ended because there is no use in going on. */
static void conclude(pid_t pid, int report, const struct body *body, struct request_result *r)
{
	bool useless = r->message[0] || r->body == BODY_UNREADABLE;

	if (useless)
		(void)kill(pid, SIGKILL); /* it may be gone already */
	r->code = run_wait(pid);
	if (!useless)
		read_report(report, r);
	else if (body)
		r->uploaded = body->length; /* unknown, but not nothing */
}

static void close_both(const int fd[2])
{
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			(void)close(fd[i]); /* pipes and memory */
}

/* Runs curl with this configuration, which it takes over. */
static int run_curl(
	struct buf *text, struct body *body, size_t max, long timeout_s, struct request_result *r)
{
	int config = memory_buf("curl configuration", text, false), result = -1, saved;
	int report = memory_file("curl report", NULL, 0, false);
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	struct run run = RUN_DEFAULT;
	char path[MEMORY_PATH_SIZE];
	pid_t pid;

	*r = (struct request_result){ .body = BODY_MORE };
	memory_path(config, path);
	/* -q: no ~/.curlrc */
	run.argv = (const char *const[]){ "curl", "-q", "--config", path, NULL };
	if (config < 0 || report < 0 || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
		fcntl(in[1], F_SETFL, O_NONBLOCK) < 0)
		goto out;
	run.in = in[0];
	run.out = out[1];
	run.error = report;
	run.keep = config;
	pid = run_start(&run);
	if (pid < 0)
		goto out;
	(void)close(in[0]); /* curl's alone now, so that its end is the end of the pipes */
	(void)close(out[1]);
	in[0] = out[1] = -1;
	if (!body) {
		(void)close(in[1]);
		in[1] = -1;
	}
	transfer(body, &in[1], out[0], max, timeout_s, r);
	conclude(pid, report, body, r);
	result = 0;
out:
	saved = errno;
	close_both(in);
	close_both(out);
	close_both((int[]){ config, report });
	errno = saved;
	return result;
}

int request_post(const struct request_target *target, struct body *body, size_t max,
	struct request_result *result)
{
	struct buf config = { 0 };

	posting(&config, target, body);
	return run_curl(&config, body, max, target->timeout_s, result);
}

int request_probe(const struct request_target *target, struct request_result *result)
{
	struct buf config = { 0 }, url = { 0 };

	buf_printf(&url, "%s/studies?StudyInstanceUID=2.25.0&limit=1", target->url);
	config.failed = url.failed;
	common(&config, target, url.failed ? "" : url.data);
	buf_free(&url);
	buf_printf(&config, "output = \"/dev/null\"\nmax-time = %ld\n", target->timeout_s);
	return run_curl(&config, NULL, 0, target->timeout_s, result);
}

void request_free(struct request_result *result)
{
	buf_free(&result->answer);
}
