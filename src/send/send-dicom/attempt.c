#include "attempt.h"

#include "dcmsend.h"
#include "base/log.h"
#include "storescu.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SIGNALLED = 128 };

/* The next images: those without an answer, and among them first those without a setback. */
static size_t choose(const struct sender *sender, size_t *index)
{
	size_t n = 0;

	for (int setbacks = 0; n == 0 && setbacks < 2; setbacks++)
		for (size_t i = 0; i < sender->count && n < DCMSEND_MAX_FILES; i++)
			if (sender->image[i].answer == SENDER_UNSENT &&
				sender->image[i].setbacks == setbacks)
				index[n++] = i;
	return n;
}

/* The association broke. Returns false when the target is to be given up: when this was the second
 * time (*barren) without any answer in between, or when no image may be blamed. */
static bool go_on(struct sender *sender, const struct transcript *t, bool blame, bool *barren)
{
	struct sender_image *image =
		t->sending && t->current >= 0 ? &sender->image[t->current] : NULL;
	char text[sizeof(t->reason) + 64];

	if (!image || (t->responses == 0 && *barren) || (!blame && image->setbacks > 0))
		return false;
	*barren = t->responses == 0;
	image->setbacks++;
	if (image->setbacks > 1) {
		(void)snprintf(
			text, sizeof(text), "the association breaks at this image: %s", t->reason);
		log_warning("the association broke twice at this image image=%s", image->name);
		sender_answer(sender, (size_t)t->current, SENDER_FAILED, SENDER_NO_STATUS, text);
		*barren = false;
	}
	return true;
}

/* True for the signals of a program's own fault; a SIGKILL, say, is no image's doing. */
static bool crashed(int code)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (code == SIGNALLED + signals[i])
			return true;
	return false;
}

void attempt_all(struct sender *sender, const struct peer *peer, bool blame)
{
	size_t index[DCMSEND_MAX_FILES], count;
	struct transcript t;
	const char *program = peer->authority ? "storescu" : "dcmsend";
	bool barren = false;

	while ((count = choose(sender, index)) > 0) {
		size_t before = sender->answered;
		int code = peer->authority ? storescu_run(peer, sender, index, count, &t)
					   : dcmsend_run(peer, sender, index, count, &t);
		bool progress = sender->answered > before;

		if (code < 0) {
			sender_target_failed(
				sender, "unable to run %s: %s", program, strerror(errno));
			return;
		}
		barren = barren && t.responses == 0;
		if (t.reason[0]) {
			if (go_on(sender, &t, blame, &barren))
				continue;
			sender_target_failed(sender, "%s:%s: %s", peer->host, peer->port, t.reason);
			return;
		}
		if (crashed(code) && !t.stop && t.current >= 0) {
			log_error("%s crashed image=%s signal=%d", program,
				sender->image[t.current].name, code - SIGNALLED);
			sender_answer(sender, (size_t)t.current, SENDER_FAILED, SENDER_NO_STATUS,
				peer->authority ? "storescu crashes on this image"
						: "dcmsend crashes on this image");
		} else if (!progress) {
			sender_target_failed(
				sender, "%s ended without an answer, status %d", program, code);
			return;
		}
	}
}
