#include "rounds.h"

#include "base/log.h"
#include "chain.h"
#include "dispatcher.h"
#include "given_up.h"

#include <stdio.h>
#include <string.h>

/* So many images in a row at which the target breaks, and no answer in between, are the target's.
 */
enum { BREAKS_MAX = 3, MORE_AFTER = 8 };

/* May the image be sent now? */
static bool is_due(const struct attempt *a, const struct image *image)
{
	return !image->stored && !image->waits && !given_up_is(a, image);
}

/* Lists what is to be sent in the next run: what nothing speaks against, at most so many (0: all);
 * else the one that is least suspected, which is returned; or nothing. */
static struct image *choose(struct attempt *a, size_t most, size_t *count)
{
	struct image *least = NULL;

	*count = 0;
	answers_begin(&a->answers);
	for (size_t i = 0; i < a->answers.count; i++) {
		struct image *image = &a->answers.image[i];

		if (!is_due(a, image))
			continue;
		if (image->suspected == 0 && (most == 0 || *count < most)) {
			image->listed = true;
			++*count;
		}
		if (!least || image->suspected < least->suspected)
			least = image;
	}
	if (*count == 0 && least) {
		least->listed = true;
		*count = 1;
	} else {
		least = NULL;
	}
	a->answers.listed = *count;
	return least;
}

/* An image of which a sender that claims to have finished said nothing was not stored. */
static int note_silence(struct attempt *a, int status)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "send-%s ended with status %d and told no answer",
		a->claimed->target->type, status);
	for (size_t i = 0; i < a->answers.count; i++) {
		struct image *image = &a->answers.image[i];

		if (image->listed && !image->answered && !image->doubted &&
			answers_refuse(a->claimed, &a->answers, image, text) < 0)
			return -1;
	}
	return 0;
}

static void suspect(struct attempt *a)
{
	for (size_t i = 0; i < a->answers.count; i++)
		a->answers.image[i].suspected += a->answers.image[i].doubted;
}

/* The last job at which this target broke, if it has answered nothing since. */
static char *last_broken(struct dispatcher *d, const struct attempt *a)
{
	return d->seen[a->claimed->target - d->conf->target].broken;
}

/* The target broke at an image that was alone: it is the image's fault if the target is there, and
 * does not break at everything. -1 with errno. */
static int judge_alone(struct dispatcher *d, struct attempt *a, struct image *image,
	struct outcome *outcome, enum blame *blame)
{
	char *last = last_broken(d, a), text[300];
	bool breaks_at_all = *last && strcmp(last, a->claimed->job) != 0;

	(void)snprintf(text, sizeof(text), "%s", *outcome->reason ? outcome->reason : image->text);
	(void)snprintf(last, QUEUE_NAME_SIZE, "%s", a->claimed->job);
	a->alone_broken++;
	*blame = BLAME_TARGET;
	if (breaks_at_all || (a->alone_broken > BREAKS_MAX && a->answers.answered_all == 0))
		return 0;
	if (sending_probe(d, a, outcome) < 0)
		return -1;
	if (*outcome->own_fault) {
		*blame = BLAME_OURS;
	} else if (outcome->status != 0) {
		a->claimed->target_was_well = false;
	} else if (!d->loop.stopping) {
		*blame = BLAME_IMAGES;
		return answers_refuse(a->claimed, &a->answers, image, text);
	}
	return 0;
}

enum blame rounds_blame(const struct attempt *a, const struct outcome *outcome)
{
	const struct blame_run run = { .status = outcome->status,
		.own_fault = *outcome->own_fault,
		.lost = outcome->handed && !*outcome->reason && a->answers.answered == 0 &&
			a->answers.doubted == 0,
		.no_room = a->answers.no_room > 0,
		.answered = a->answers.answered,
		.doubted = a->answers.doubted };

	return blame_run(&run);
}

/* One run and what it proves. Returns -1 with errno. */
static int run(struct dispatcher *d, struct attempt *a, struct outcome *outcome, enum blame *blame)
{
	if (sending_images(d, a, outcome) < 0)
		return -1;
	*blame = rounds_blame(a, outcome);
	if (a->answers.answered > 0)
		last_broken(d, a)[0] = '\0';
	if (*blame == BLAME_BREAK)
		suspect(a);
	return *blame == BLAME_IMAGES ? note_silence(a, outcome->status) : 0;
}

/* How many images the next run gets. After a break as many as were answered, for a target may take
 * so many in each association; when that has gone well for a while, more again. 0: all. */
struct pace {
	size_t most;
	int well; /* runs in a row that ended by themselves */
};

static void set_pace(struct pace *pace, enum blame blame, const struct answers *answers)
{
	if (blame == BLAME_NOBODY) {
		*pace = (struct pace){ .most = answers->answered };
	} else if (blame == BLAME_IMAGES && pace->most > 0 && ++pace->well == MORE_AFTER) {
		pace->most *= MORE_AFTER;
		pace->well = 0;
	}
}

int rounds_send(struct dispatcher *d, struct attempt *a, struct outcome *outcome, enum blame *blame)
{
	struct image *alone;
	struct pace pace = { 0 };
	size_t count;
	int breaks = 0;

	for (*blame = BLAME_IMAGES; *blame <= BLAME_BREAK;) {
		alone = choose(a, pace.most, &count);
		if (count == 0)
			return 0;
		if (run(d, a, outcome, blame) < 0)
			return -1;
		if (d->loop.stopping || job_is_cancelled(a->claimed->dir))
			return 0;
		breaks = a->answers.answered ? 0 : breaks + (*blame == BLAME_BREAK);
		set_pace(&pace, *blame, &a->answers);
		if (pace.most > 0)
			chain_end(d); /* the target has had enough of this association */
		if (breaks >= BREAKS_MAX && !alone)
			*blame = BLAME_TARGET;
		if (*blame == BLAME_BREAK && alone && judge_alone(d, a, alone, outcome, blame) < 0)
			return -1;
	}
	return 0;
}
