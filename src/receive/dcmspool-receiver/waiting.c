#define _GNU_SOURCE /* POLLRDHUP */
#include "waiting.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/service.h"
#include "base/str.h"
#include "spool/journal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char variable[] = "DCMSPOOL_CALLERS";

enum { TOLD_MAX = 10 }; /* refusals a second: whoever wants to can cause any number */

static void take_out(struct waiting *w, size_t i)
{
	w->ready -= w->one[i].ready;
	w->count--;
	memmove(w->one + i, w->one + i + 1, (w->count - i) * sizeof(*w->one));
}

static void tell(struct waiting *w, const struct caller *caller, const char *reason)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms - w->told_ms >= 1000) {
		if (w->untold > 0)
			log_info("connections refused that are not told of one by one: %u",
				w->untold);
		w->told_ms = now_ms;
		w->told = w->untold = 0;
	}
	if (w->told++ >= TOLD_MAX) {
		w->untold++;
		return;
	}
	log_info("association refused peer=%s calling= called=: %s", caller->peer, reason);
	journal_write(w->spool, "association-refused", "peer", caller->peer, "calling_aet", "",
		"called_aet", "", "reason", reason, NULL);
}

/* The connection is closed without a word: there is no request that could be answered. */
static void let_go(struct waiting *w, size_t i, const char *reason)
{
	if (reason)
		tell(w, &w->one[i].caller, reason);
	(void)close(w->one[i].fd); /* a socket */
	take_out(w, i);
}

static void look(struct waiting *w, size_t i, short events)
{
	struct waiting_one *one = &w->one[i];
	const size_t lowat = one->peeked.lowat;
	bool ended = events & (POLLRDHUP | POLLHUP | POLLERR);

	switch (peek_look(one->fd, ended, &one->peeked)) {
	case PEEK_GONE:
		let_go(w, i, NULL);
		return;
	case PEEK_MORE:
		/* What was waited for is not there: a kernel that does not make so much room. The
		 * process can pause, we cannot. */
		if (!events || one->peeked.lowat != lowat)
			return;
		break;
	default:
		break; /* the process tells what is wrong with it */
	}
	one->ready = true;
	w->ready++;
}

static bool same_peer(const struct caller *a, const struct caller *b)
{
	return memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

/* One that is not ready, in favour of a caller: see waiting.h. */
static void make_room(struct waiting *w, const struct caller *caller)
{
	size_t first = w->count, own = w->count, n = 0;

	for (size_t i = w->count; i-- > 0;) {
		if (w->one[i].ready)
			continue;
		first = i;
		if (same_peer(&w->one[i].caller, caller)) {
			own = i;
			n++;
		}
	}
	if (n >= WAITING_OF_PEER)
		let_go(w, own, request_too_many_of_peer);
	else if (first < w->count)
		let_go(w, first, request_too_many);
}

bool waiting_has_room(const struct waiting *w)
{
	return w->ready < WAITING_MAX;
}

void waiting_add(struct waiting *w, int fd)
{
	struct waiting_one one = { .fd = fd };

	if (caller_read(fd, &one.caller) < 0) {
		(void)close(fd); /* he has gone already */
		return;
	}
	if (w->count == WAITING_MAX)
		make_room(w, &one.caller);
	one.late_ms = clock_monotonic_ms() + w->timeout_s * 1000;
	w->one[w->count++] = one;
	look(w, w->count - 1, 0);
}

void waiting_watch(const struct waiting *w, struct pollfd *polled)
{
	for (size_t i = 0; i < w->count; i++)
		polled[i] = (struct pollfd){ .fd = w->one[i].ready ? -1 : w->one[i].fd,
			.events = POLLIN | POLLRDHUP };
}

void waiting_turn(struct waiting *w, const struct pollfd *polled)
{
	for (size_t i = w->count; i-- > 0;) { /* backwards: some are taken out */
		if (w->one[i].ready)
			continue;
		if (polled[i].revents)
			look(w, i, polled[i].revents);
		else if (clock_left_ms(w->one[i].late_ms) == 0)
			let_go(w, i, w->one[i].peeked.length > 0 ? peek_not_whole : peek_late);
	}
}

int64_t waiting_due_us(const struct waiting *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (!w->one[i].ready)
			return clock_wall_us(w->one[i].late_ms);
	return 0;
}

int waiting_next(struct waiting *w)
{
	for (size_t i = 0; w->ready > 0 && i < w->count; i++)
		if (w->one[i].ready) {
			int fd = w->one[i].fd;

			take_out(w, i);
			return fd;
		}
	return -1;
}

void waiting_open(struct waiting *w, const struct spool *spool, long timeout_s)
{
	const char *text = getenv(variable);
	char *copy = text ? strdup(text) : NULL, *rest = NULL;
	long fd;

	w->spool = spool;
	w->timeout_s = timeout_s;
	for (char *word = copy ? strtok_r(copy, " ", &rest) : NULL; word;
		word = strtok_r(NULL, " ", &rest))
		if (parse_long(word, STDERR_FILENO + 1, INT_MAX, &fd) == 0)
			waiting_add(w, (int)fd);
	free(copy);
	(void)unsetenv(variable); /* cannot fail */
}

void waiting_leave(const struct waiting *w)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < w->count; i++) {
		buf_printf(&text, "%d ", w->one[i].fd);
		service_keep(w->one[i].fd);
	}
	if (!text.failed && text.data)
		(void)setenv(variable, text.data, 1); /* else they are closed, as by a kill -9 */
	buf_free(&text);
}
