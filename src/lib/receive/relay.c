#define _GNU_SOURCE /* F_DUPFD_CLOEXEC */
#include "relay.h"

#include "base/log.h"
#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BUFFER = 128 * 1024, /* storescp's longest PDU; its answer takes less than half of it */
	FIRST_FREE = STDERR_FILENO + 1,
};

static bool is_empty(const struct relay_flow *f)
{
	return f->begin == f->end;
}

/* The answer has still to be collected: nothing of it goes out before it is whole. */
static bool collects(const struct relay *r, int to)
{
	return to == RELAY_SENDER && !r->answered;
}

static int other(int end)
{
	return end == RELAY_SENDER ? RELAY_STORESCP : RELAY_SENDER;
}

void relay_close(struct relay *r)
{
	for (int end = 0; end < RELAY_ENDS; end++) {
		if (r->fd[end] >= 0)
			(void)close(r->fd[end]); /* a socket */
		r->fd[end] = -1;
		free(r->to[end].data);
		r->to[end] = (struct relay_flow){ .over = true };
	}
}

int relay_open(struct relay *r, int connection, size_t length, const struct buf *request,
	const struct stand_ins *stand_ins)
{
	struct relay_flow *to_storescp = &r->to[RELAY_STORESCP];
	int ends[2] = { -1, -1 }, on = 1, saved;

	*r = (struct relay)RELAY_NONE;
	r->stand_ins = stand_ins;
	r->to[RELAY_SENDER].data = malloc(BUFFER);
	to_storescp->data = malloc(request->length > BUFFER ? request->length : BUFFER);
	if (!r->to[RELAY_SENDER].data || !to_storescp->data ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		goto failed;
	r->fd[RELAY_STORESCP] = ends[0];
	r->fd[RELAY_SENDER] = fcntl(connection, F_DUPFD_CLOEXEC, FIRST_FREE);
	if (r->fd[RELAY_SENDER] < 0 || request_consume(connection, length) < 0)
		goto failed;
	/* As storescp would; a local socket has no such thing. */
	(void)setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	memcpy(to_storescp->data, request->data, request->length);
	to_storescp->end = request->length;
	return ends[1];
failed:
	saved = errno;
	relay_close(r);
	if (ends[1] >= 0)
		(void)close(ends[1]);
	errno = saved;
	return -1;
}

/* Rewrites the answer as soon as it is whole. What is none (a refusal, an abort) goes out as it is.
 */
static void rewrite_answer(struct relay *r)
{
	struct relay_flow *f = &r->to[RELAY_SENDER];
	struct buf out = { 0 };
	const char *wrong;
	size_t length;

	if (is_empty(f) || f->data[0] != WIRE_ASSOCIATE_AC) {
		r->answered = f->over || !is_empty(f);
		return;
	}
	length = f->end < WIRE_HEAD ? WIRE_HEAD : acceptor_pdu_length(f->data);
	if (f->end < length && f->end < BUFFER && !f->over)
		return;
	wrong = f->end < length ? "it is cut off or too long"
				: standin_answer(r->stand_ins, f->data, length, &out);
	if (!wrong && !out.failed)
		buf_add(&out, f->data + length, f->end - length);
	if (wrong || out.failed || out.length > BUFFER) {
		log_error("unable to pass on storescp's answer: %s", wrong ? wrong : "no memory");
		relay_close(r);
	} else {
		memcpy(f->data, out.data, out.length);
		f->end = out.length;
		r->answered = true;
	}
	buf_free(&out);
}

/* Reads what there is for this end. False when there is nothing now. */
static bool fill(struct relay *r, int to)
{
	struct relay_flow *f = &r->to[to];
	ssize_t n;

	if (f->over || (!is_empty(f) && !collects(r, to)))
		return false;
	if (is_empty(f))
		f->begin = f->end = 0;
	n = recv(r->fd[other(to)], f->data + f->end, BUFFER - f->end, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n > 0)
		f->end += (size_t)n;
	else
		f->over = true; /* an error is an end as well: a reset, mostly */
	if (collects(r, to))
		rewrite_answer(r);
	return n > 0;
}

/* Writes what is there for this end. False when it takes no more now. */
static bool drain(struct relay *r, int to)
{
	struct relay_flow *f = &r->to[to];
	ssize_t n;

	while (!is_empty(f) && !collects(r, to)) {
		n = send(r->fd[to], f->data + f->begin, f->end - f->begin,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0 && to == RELAY_SENDER) {
			relay_close(r); /* he has gone; storescp finds out */
			return false;
		}
		if (n < 0) { /* storescp has gone; what it wrote before is still to be passed on */
			f->over = true;
			f->begin = f->end;
			return false;
		}
		f->begin += (size_t)n;
	}
	return true;
}

/* What an end of file on one side means to the other one. */
static void pass_on_ends(struct relay *r)
{
	const struct relay_flow *to_storescp = &r->to[RELAY_STORESCP];
	const struct relay_flow *to_sender = &r->to[RELAY_SENDER];

	if (to_storescp->over && is_empty(to_storescp) && !r->told) {
		(void)shutdown(r->fd[RELAY_STORESCP], SHUT_WR); /* fails when it has gone */
		r->told = true;
	}
	if (to_sender->over && is_empty(to_sender))
		relay_close(r);
}

/* An end is watched for nothing but what is needed next: one that hung up would wake us for ever.
 */
void relay_watch(const struct relay *r, struct pollfd polls[RELAY_ENDS])
{
	for (int end = 0; end < RELAY_ENDS; end++) {
		const struct relay_flow *in = &r->to[other(end)], *out = &r->to[end];
		short events = 0;

		if (!in->over && (is_empty(in) || collects(r, other(end))))
			events |= POLLIN;
		if (!is_empty(out) && !collects(r, end))
			events |= POLLOUT;
		polls[end] = (struct pollfd){ .fd = events ? r->fd[end] : -1, .events = events };
	}
}

void relay_turn(struct relay *r, const struct pollfd polls[RELAY_ENDS])
{
	for (int end = 0; end < RELAY_ENDS && r->fd[end] >= 0; end++)
		if (polls[end].revents) {
			(void)fill(r, other(end)); /* what it cannot do now, the next turn does */
			(void)drain(r, other(end));
			(void)drain(r, end);
		}
	if (r->fd[RELAY_SENDER] >= 0)
		pass_on_ends(r);
}

void relay_finish(struct relay *r)
{
	while (r->fd[RELAY_SENDER] >= 0 && drain(r, RELAY_SENDER) && fill(r, RELAY_SENDER))
		;
	relay_close(r);
}
