#include "attempt.h"

#include "sender/stop.h"

enum { MORE_AFTER = 8 };

/* After a break at an image the next associations get as many images as were answered, for a target
 * may take so many over each; when that has gone well for a while, more again. */
static void set_pace(struct attempt *attempt)
{
	struct over *over = &attempt->over;

	if (over->association.trouble) {
		attempt->well = 0;
		if (over->current >= 0 && over->responses > 0)
			over->most = over->responses;
	} else if (over->most > 0 && ++attempt->well == MORE_AFTER) {
		attempt->well = 0;
		over->most *= MORE_AFTER;
	}
}

/* An association has ended before its time. Returns false when there is no use in going on: there
 * was none, or nothing was answered over it, nor over the one before (*barren). answered: over
 * those since the last break, which ended because they had had their images. */
static bool go_on(struct sender *sender, const struct over *over, bool answered, bool *barren)
{
	const bool nothing = over->responses == 0 && !answered, before = *barren;

	*barren = nothing;
	if (over->association.trouble == ASSOCIATION_OURS)
		return true; /* that image is answered */
	if (over->current >= 0) {
		sender_answer(sender, (size_t)over->current, SENDER_DOUBT, SENDER_NO_STATUS,
			over->association.why);
		stop_let();
		return !nothing;
	}
	if (over->open && !(nothing && before))
		return true;
	sender_target_failed(
		sender, "%s:%s: %s", over->peer->host, over->peer->port, over->association.why);
	return false;
}

void attempt_all(struct attempt *attempt, struct sender *sender, const struct peer *peer)
{
	struct over *over = &attempt->over;
	struct offer wanted;
	bool barren = false, answered = false, useful = true;

	images_begin(&attempt->images, sender);
	while (useful) {
		offer_make(&wanted, &attempt->images, peer->decompress);
		if (wanted.images == 0)
			return;
		over_send(over, &wanted, peer, &attempt->images);
		set_pace(attempt);
		if (over->association.trouble) {
			useful = go_on(sender, over, answered, &barren);
			answered = false;
			over_close(over);
		} else {
			barren = false;
			answered = over->responses > 0;
			if (over->most > 0)
				over_close(over);
		}
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
	attempt->over.most = 0;
	over_close(&attempt->over);
}

void attempt_end(struct attempt *attempt)
{
	over_close(&attempt->over);
	images_close(&attempt->images);
}
