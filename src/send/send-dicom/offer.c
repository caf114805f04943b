#include "offer.h"

#include <string.h>

long offer_find(const struct offer *offer, const char *sop_class, const char *syntax)
{
	for (size_t i = 0; i < offer->count; i++)
		if (strcmp(offer->proposal[i].syntax, syntax) == 0 &&
			strcmp(offer->proposal[i].abstract, sop_class) == 0)
			return (long)i;
	return -1;
}

bool offer_covers(const struct offer *offer, const struct offer *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (offer_find(offer, wanted->proposal[i].abstract, wanted->proposal[i].syntax) < 0)
			return false;
	return true;
}

static bool add(struct offer *offer, const char *sop_class, const char *syntax)
{
	if (offer_find(offer, sop_class, syntax) >= 0)
		return true;
	if (offer->count == WIRE_CONTEXTS)
		return false;
	offer->proposal[offer->count++] = (struct associate_proposal){ sop_class, syntax };
	return true;
}

/* Adds what an image needs. False when there is not enough room, and nothing was added. */
static bool add_image(struct offer *offer, const struct images *images, const struct image *image,
	enum syntax_decompress decompress)
{
	const char *sop_class = images->name[image->sop_class];
	const char *own = images->name[image->syntax];
	struct syntax_fallback other[SYNTAX_FALLBACKS];
	const size_t n = syntax_fallbacks(own, decompress, other), before = offer->count;
	bool added = add(offer, sop_class, own);

	for (size_t i = 0; added && i < n; i++)
		added = add(offer, sop_class, other[i].uid);
	if (!added)
		offer->count = before;
	return added;
}

static void look_at_all(struct images *images)
{
	for (size_t i = 0; i < images->sender->count; i++)
		if (images->sender->image[i].answer == SENDER_UNSENT)
			(void)image_look(images, i); /* answered, when it cannot be sent */
}

void offer_make(struct offer *offer, struct images *images, enum syntax_decompress decompress)
{
	struct sender *sender = images->sender;

	offer->count = offer->images = 0;
	look_at_all(images);
	for (size_t i = 0; i < sender->count; i++)
		images->image[i].chosen = sender->image[i].answer == SENDER_UNSENT &&
					  add_image(offer, images, &images->image[i], decompress) &&
					  ++offer->images;
}
