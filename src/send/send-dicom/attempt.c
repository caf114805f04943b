#include "attempt.h"

/* An association has ended before its time. Returns false when there is no use in going on: there
 * was none, or nothing was answered over it, nor over the one before (*barren). */
static bool go_on(struct sender *sender, const struct over *over, bool *barren)
{
	const bool nothing = over->responses == 0, before = *barren;

	*barren = nothing;
	if (over->association.trouble == ASSOCIATION_OURS)
		return true; /* that image is answered */
	if (over->current >= 0) {
		sender_answer(sender, (size_t)over->current, SENDER_DOUBT, SENDER_NO_STATUS,
			over->association.why);
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
	bool barren = false, useful = true;

	images_begin(&attempt->images, sender);
	while (useful) {
		offer_make(&wanted, &attempt->images, peer->decompress);
		if (wanted.images == 0)
			return;
		over_send(over, &wanted, peer, &attempt->images);
		if (over->association.trouble) {
			useful = go_on(sender, over, &barren);
			over_close(over);
		} else {
			barren = false;
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
	over_close(&attempt->over);
}

void attempt_end(struct attempt *attempt)
{
	over_close(&attempt->over);
	images_close(&attempt->images);
}
