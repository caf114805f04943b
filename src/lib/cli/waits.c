#include "cli/waits.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/hours.h"
#include "base/str.h"
#include "cli/moment.h"
#include "spool/assoc.h"
#include "spool/file.h"
#include "spool/held.h"
#include "spool/job.h"
#include "spool/retry.h"
#include "spool/series.h"

/* What is asked about, and where the answers go. */
struct asked {
	const struct conf *conf;
	const struct spool *spool;
	struct walk *walk;
	struct item *item;
	const struct place *place;
	const struct conf_target *target; /* NULL: it is not configured */
	struct disk_names *out;
	bool failed;
};

static void say(struct asked *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct asked *a, const char *format, ...)
{
	char text[1000]; /* names have at most 255 bytes; a reason may be cut */
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (disk_names_add(a->out, text) < 0)
		a->failed = true;
}

/* Not before when the job may go; 0: at once. */
static int64_t not_before_us(struct asked *a)
{
	int dir = place_open(a->spool, a->place);
	struct retry retry = { 0 };

	if (dir >= 0) {
		retry_load(dir, &retry);
		(void)close(dir); /* only read */
	}
	return retry.not_before_us > clock_now_us() ? retry.not_before_us : 0;
}

/* ---- the target ---------------------------------------------------------------------------- */

static void say_held(struct asked *a, const char *target)
{
	int dir = held_open(a->spool, target);
	int held = dir < 0 ? 0 : disk_exists(dir, HELD_FILE);
	struct buf by = { 0 };

	if (held < 0) {
		say(a, "whether %s held cannot be seen, and so it counts as held: %s",
			target ? "its target is" : "all targets are", strerror(errno));
	} else if (held) {
		held_tell(dir, &by);
		say(a, "%s held%s; end that with: dcmspool release %s",
			target ? "its target is" : "all targets are", by.data ? by.data : "",
			target ? target : HELD_ALL);
	}
	buf_free(&by);
	if (dir >= 0)
		(void)close(dir); /* only read */
}

/* A job that the target failed at waits a little longer than the pause: then it is that moment
 * which counts, and say_job() tells it. */
static void say_paused(struct asked *a, const struct walk_queue *queue)
{
	char until[MOMENT_SIZE] = "", since[MOMENT_SIZE];

	if (not_before_us(a) <= queue->pause.until_us)
		moment_text(queue->pause.until_us, until, sizeof(until));
	moment_text(queue->pause.since_us, since, sizeof(since));
	say(a, "its target is paused%s%s, failing%s%s (%ld in a row)%s%s", *until ? " until " : "",
		until, *since ? " since " : "", since, queue->pause.failures,
		*queue->pause.reason ? ": " : "", queue->pause.reason);
}

static void say_hours(struct asked *a)
{
	const char *hours = a->target->hours[job_priority(a->place->name)];
	int64_t now_us = clock_now_us(), begin_us = hours_next_us(hours, now_us);
	char moment[MOMENT_SIZE];

	moment_text(begin_us, moment, sizeof(moment));
	if (begin_us > now_us)
		say(a, "the hours of its priority, %s, begin at %s", hours, moment);
}

static void say_connections(struct asked *a)
{
	long busy = 0;

	for (size_t i = 0; i < a->walk->places; i++)
		busy += a->walk->place[i].stage == SPOOL_SENDING &&
			a->walk->place[i].target == a->place->target;
	if (busy >= a->target->max_connections)
		say(a, "%ld of at most %ld connections to its target are in use", busy,
			a->target->max_connections);
}

/* ---- the study ----------------------------------------------------------------------------- */

/* Which series the item is: " 2 Localizer". */
static void series_words(const struct spool *spool, struct item *item, char *out, size_t size)
{
	const json_t *series = item_series(spool, item);
	const char *number = series_tag(series, "SeriesNumber"),
		   *description = series_tag(series, "SeriesDescription");

	(void)snprintf(out, size, "%s%s%s%s", *number ? " " : "", number, *description ? " " : "",
		description);
	text_clean(out); /* it may have been cut within a character */
}

static bool same_study(struct asked *a, struct item *other)
{
	const char *mine = job_study(a->item->name), *its = job_study(other->name);
	char study[9];

	if (its)
		return strncmp(mine, its, 8) == 0;
	(void)snprintf(study, sizeof(study), "%08x",
		str_hash(series_tag(item_series(a->spool, other), "StudyInstanceUID")));
	return strncmp(mine, study, 8) == 0;
}

/* Goes a job that waits for the same target before this one? */
static bool goes_before(struct asked *a, struct item *other, const struct place *place)
{
	long mine, its;

	if (job_priority(place->name) != job_priority(a->place->name))
		return false;
	if (a->target->order == CONF_ORDER_SERIES_NUMBER) {
		mine = strtol(series_tag(item_series(a->spool, a->item), "SeriesNumber"), NULL, 10);
		its = strtol(series_tag(item_series(a->spool, other), "SeriesNumber"), NULL, 10);
		if (mine != its)
			return its < mine;
	}
	return strcmp(place->name, a->place->name) < 0;
}

static bool is_upstream(struct asked *a, const struct item *other, const struct place *place)
{
	return a->target->order == CONF_ORDER_STUDY && a->target->order_wait_ms > 0 &&
	       spool_stage[place->stage].before_queue && place->state != PLACE_RESENT &&
	       other->time_us >= 0 && other->time_us < a->item->time_us;
}

static void say_earlier(struct asked *a, struct item *other, const struct place *place)
{
	const bool upstream = spool_stage[place->stage].before_queue;
	struct buf path = { 0 };
	char words[300];

	place_path(place, &path);
	series_words(a->spool, other, words, sizeof(words));
	say(a, "series%s of its study goes first%s; it is in %s", words,
		upstream ? " (at most for order_wait)" : "", path.data ? path.data : "");
	buf_free(&path);
}

static void say_order(struct asked *a)
{
	if (a->target->order == CONF_ORDER_NONE || !job_study(a->item->name))
		return;
	for (size_t i = 0; i < a->walk->count; i++) {
		struct item *other = &a->walk->item[i];

		/* Who has no study in its name is a batch, or nothing to wait for. */
		if (strcmp(other->name, a->item->name) == 0 || !same_study(a, other))
			continue;
		for (size_t k = 0; k < other->count; k++) {
			const struct place *place = &other->place[k];
			bool first = false;

			if (place->target && strcmp(place->target, a->place->target) == 0)
				first = place->state == PLACE_SENDING ||
					(place->state == PLACE_WAITING &&
						goes_before(a, other, place));
			else
				first = is_upstream(a, other, place);
			if (first) {
				say_earlier(a, other, place);
				return;
			}
		}
	}
}

/* ---- the job ------------------------------------------------------------------------------- */

/* queue: NULL when nothing is known of it. */
static void say_job(struct asked *a, const struct walk_queue *queue)
{
	int64_t retry_us = not_before_us(a);
	int dir = place_open(a->spool, a->place);
	char moment[MOMENT_SIZE];

	if (dir < 0) {
		if (errno != ENOENT)
			say(a, "what else it waits for cannot be seen: %s", strerror(errno));
		return;
	}
	moment_text(retry_us, moment, sizeof(moment));
	if (retry_us > 0 && (!queue || !queue->paused || retry_us > queue->pause.until_us))
		say(a, "it is tried again at %s; now with: dcmspool retry %s", moment,
			a->place->name);
	if (job_is_cancelled(dir))
		say(a, "it is to be cancelled, by the next dispatcher that may send to its target");
	if (job_ended(a->place->name))
		say(a, "it was moved here by hand, and is made ready to be sent again");
	(void)close(dir); /* only read */
}

static void say_waiting(struct asked *a)
{
	const struct walk_queue *queue = walk_queue(a->walk, a->place->target);

	say_held(a, NULL);
	say_held(a, a->place->target);
	if (!a->target) {
		say(a, "there is no target %s in the configuration any more", a->place->target);
		return;
	}
	if (queue && queue->paused)
		say_paused(a, queue);
	say_hours(a);
	say_job(a, queue);
	say_order(a);
	if (a->place->stage != SPOOL_SENDING)
		say_connections(a);
	if (a->place->state == PLACE_AHEAD && a->out->count == 0)
		say(a, "the next image of its series");
	else if (a->out->count == 0)
		say(a, "a dispatcher that is free; there %s %ld",
			a->conf->dispatcher.instances == 1 ? "is" : "are",
			a->conf->dispatcher.instances);
}

/* ---- a batch ------------------------------------------------------------------------------- */

/* Does a connection still deliver into the batch? 1, 0, or -1 with errno. */
static int is_open(struct asked *a, int dir)
{
	struct disk_names names;
	int open = 0;

	if (disk_list(dir, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count && open == 0; i++) {
		const char *association;

		if (!assoc_is_marker(names.name[i]))
			continue;
		association = assoc_of_marker(names.name[i]);
		open = strcmp(association, assoc_unknown) == 0
			       ? 1
			       : disk_exists(a->spool->dir[SPOOL_RECEIVING], association);
	}
	disk_names_free(&names);
	return open;
}

static void say_collecting(struct asked *a)
{
	int dir = place_open(a->spool, a->place);
	char moment[MOMENT_SIZE];
	struct stat st;
	long wait_ms;
	int open;

	if (dir < 0)
		return;
	open = is_open(a, dir);
	wait_ms = open ? a->conf->router.series_timeout_ms : a->conf->router.association_grace_ms;
	if (file_exists(dir, FILE_COMPLETE) == 1) {
		say(a, "a router that is free: somebody has said that it is complete");
	} else if (open < 0) {
		say(a, "whether its connection is open cannot be seen: %s", strerror(errno));
	} else if (fstat(dir, &st) == 0) {
		moment_text(clock_mtime_us(&st) + (int64_t)wait_ms * 1000, moment, sizeof(moment));
		say(a, "%s; when nothing more comes it is complete at %s",
			open ? "its connection is open" : "its connection has ended", moment);
	}
	(void)close(dir); /* only read */
}

int waits_for(const struct conf *conf, const struct spool *spool, struct walk *walk,
	struct item *item, const struct place *place, struct disk_names *out)
{
	struct asked a = {
		.conf = conf, .spool = spool, .walk = walk, .item = item, .place = place, .out = out
	};

	if (place->target)
		a.target = conf_target(conf, place->target);
	if (place->state == PLACE_WAITING || place->state == PLACE_AHEAD)
		say_waiting(&a);
	else if (place->state == PLACE_COLLECTING || place->state == PLACE_RESENT)
		say_collecting(&a);
	return a.failed ? -1 : 0;
}
