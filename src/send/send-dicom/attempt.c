#include "attempt.h"

#include "base/log.h"
#include "image.h"
#include "over.h"

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

/* Sends over associations of its own what has no answer. */
static void send_all(struct images *images, const struct peer *peer, bool blame)
{
	struct sender *sender = images->sender;
	struct over over;
	bool barren = false;

	for (;;) {
		offer_make(&over.offer, images, peer->decompress);
		if (over.offer.images == 0)
			return;
		over_send(&over, peer, images);
		if (over.association.trouble && !go_on(sender, &over, blame, &barren))
			sender_target_failed(
				sender, "%s:%s: %s", peer->host, peer->port, over.association.why);
		else if (!over.association.trouble)
			barren = false;
		over_close(&over);
		if (sender->target_failed)
			return;
	}
}

void attempt_all(struct sender *sender, const struct peer *peer, bool blame)
{
	struct images images;

	if (images_open(&images, sender) < 0)
		die(EXIT_TEMPORARY, "unable to read the list of images: out of memory");
	send_all(&images, peer, blame);
	images_close(&images);
}
