/*
 * send-dicom: the sender for targets of type dicom; see send-dicom(8) and dcmspool-sender(7).
 *
 * It runs dcmsend until each image has an answer or the target is given up:
 *  - no association: the target is down; nothing has cost anything;
 *  - the association breaks while an image is being sent: that image goes to the end of the line and
 *    the others are tried in a new association. If they get through and it breaks again at that same
 *    image, the image is to blame and fails; if nothing gets through, the target is down;
 *  - dcmsend itself dies on an image: that image fails.
 */
#include "dcmsend.h"
#include "log.h"
#include "sender.h"
#include "str.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_TIMEOUT_S = 60, MAX_TIMEOUT_S = 3600, AE_TITLE_MAX = 16, SIGNALLED = 128 };

/* The text of an argument for dcmsend. A name that begins with '-' would be taken for an option. */
static const char *argument(const char *name, const char *value, const char *allowed, size_t max)
{
	size_t length = strlen(value);

	if (length > max || value[0] == '-' || (allowed && strspn(value, allowed) < length))
		sender_never("TARGET_%s is '%s', which is not valid", name, value);
	return value;
}

/* PS3.5 6.2: AE is printable ASCII without backslash, at most 16 characters. */
static const char *ae_title(const char *name, const char *otherwise)
{
	const char *title = otherwise ? sender_setting(name, otherwise) : sender_need(name);

	for (const char *c = title; *c; c++)
		if (*c < 0x20 || *c > 0x7e || *c == '\\')
			sender_never("TARGET_%s is not an AE title", name);
	return argument(name, title, NULL, AE_TITLE_MAX);
}

static void read_target(struct dcmsend_target *target)
{
	static const char host[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:";

	target->host = argument("HOST", sender_need("HOST"), host, 253);
	target->port = sender_setting("PORT", "104");
	target->timeout = sender_setting("TIMEOUT", "60");
	target->aec = ae_title("AEC", NULL);
	target->aet = ae_title("AET", "DCMSPOOL");
	(void)sender_number("PORT", 1, 65535, 104);
	(void)sender_number("TIMEOUT", 1, MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S);
}

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
 * time (*barren) without any answer in between. */
static bool go_on(struct sender *sender, const struct transcript *t, bool *barren)
{
	struct sender_image *image =
		t->sending && t->current >= 0 ? &sender->image[t->current] : NULL;
	char text[sizeof(t->reason) + 64];

	if (!image || (t->responses == 0 && *barren))
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

/* Ends when all images have their answer or the target is given up, which it then has written. */
static void send_all(struct sender *sender, const struct dcmsend_target *target)
{
	size_t index[DCMSEND_MAX_FILES], count;
	struct transcript t;
	bool barren = false;

	while ((count = choose(sender, index)) > 0) {
		size_t before = sender->answered;
		int code = dcmsend_run(target, sender, index, count, &t);
		bool progress = sender->answered > before;

		if (code < 0) {
			sender_target_failed(sender, "unable to run dcmsend: %s", strerror(errno));
			return;
		}
		barren = barren && t.responses == 0;
		if (t.reason[0]) {
			if (go_on(sender, &t, &barren))
				continue;
			sender_target_failed(
				sender, "%s:%s: %s", target->host, target->port, t.reason);
			return;
		}
		if (crashed(code) && !t.stop && t.current >= 0) {
			log_error("dcmsend crashed image=%s signal=%d",
				sender->image[t.current].name, code - SIGNALLED);
			sender_answer(sender, (size_t)t.current, SENDER_FAILED, SENDER_NO_STATUS,
				"dcmsend crashes on this image");
		} else if (!progress) {
			sender_target_failed(
				sender, "dcmsend ended without an answer, status %d", code);
			return;
		}
	}
}

int main(int argc, char *argv[])
{
	struct dcmsend_target target;
	struct sender sender;

	(void)argc; /* the contract has no arguments */
	sender_open(&sender, argv[0]);
	read_target(&target);
	send_all(&sender, &target);
	return sender_close(&sender);
}
