#include "attempt.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

/* An association has ended before its time. Returns false when the target is to be given up: when
 * this was the second time (*barren) without any answer in between, or when no image may be blamed.
 */
static bool go_on(struct sender *sender, const struct over *over, bool blame, bool *barren)
{
	struct sender_image *image = over->current >= 0 ? &sender->image[over->current] : NULL;
	char text[sizeof(over->association.why) + 64];

	if (over->association.trouble == ASSOCIATION_OURS)
		return true; /* that image is answered */
	if (!over->open || (over->responses == 0 && *barren) ||
		(image && !blame && image->setbacks > 0))
		return false;
	*barren = over->responses == 0;
	if (!image)
		return true;
	image->setbacks++;
	if (image->setbacks > 1) {
		(void)snprintf(text, sizeof(text), "the association breaks at this image: %s",
			over->association.why);
		log_warning("the association broke twice at this image image=%s", image->name);
		sender_answer(sender, (size_t)over->current, SENDER_FAILED, SENDER_NO_STATUS, text);
		*barren = false;
	}
	return true;
}

void attempt_all(
	struct attempt *attempt, struct sender *sender, const struct peer *peer, bool blame)
{
	struct over *over = &attempt->over;
	struct offer wanted;
	bool barren = false;

	images_begin(&attempt->images, sender);
	while (!sender->target_failed) {
		offer_make(&wanted, &attempt->images, peer->decompress);
		if (wanted.images == 0)
			return;
		over_send(over, &wanted, peer, &attempt->images);
		if (!over->association.trouble) {
			barren = false;
			continue;
		}
		if (!go_on(sender, over, blame, &barren))
			sender_target_failed(
				sender, "%s:%s: %s", peer->host, peer->port, over->association.why);
		over_close(over);
	}
}

int attempt_watch(const struct attempt *attempt)
{
	return attempt->over.called ? attempt->over.association.connection.fd : -1;
}

void attempt_idle(struct attempt *attempt)
{
	if (attempt->over.called && association_check(&attempt->over.association) < 0)
		over_close(&attempt->over);
}

void attempt_drop(struct attempt *attempt)
{
	over_close(&attempt->over);
}

void attempt_end(struct attempt *attempt)
{
	over_close(&attempt->over);
	images_close(&attempt->images);
}
