#include "spool/item.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "spool/assoc.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/plan.h"
#include "spool/series.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So often a job is followed that moves on while we look. */
enum { MOVES = 4 };

static const struct {
	const char *name;
	bool over;
} states[PLACE_STATES] = {
	[PLACE_RECEIVING] = { "receiving", false },
	[PLACE_DROPPED] = { "dropped", false },
	[PLACE_COLLECTING] = { "collecting", false },
	[PLACE_RESENT] = { "resent", false },
	[PLACE_ROUTING] = { "routing", false },
	[PLACE_AHEAD] = { "ahead", false },
	[PLACE_WAITING] = { "waiting", false },
	[PLACE_SENDING] = { "sending", false },
	[PLACE_SENT] = { "sent", true },
	[PLACE_DISCARDED] = { "discarded", true },
	[PLACE_CANCELLED] = { "cancelled", true },
	[PLACE_FAILED] = { "failed", false },
	[PLACE_QUARANTINED] = { "quarantined", false },
};

const char *place_state_name(enum place_state state)
{
	return states[state].name;
}

bool place_state_is_over(enum place_state state)
{
	return states[state].over;
}

/* The place, or a file in it, below its stage's directory. */
static void path_below(const struct place *place, const char *file, char out[PATH_MAX])
{
	bool queue = spool_stage[place->stage].holds == STAGE_QUEUES;

	(void)snprintf(out, PATH_MAX, "%s%s%s%s%s", queue ? place->target : "", queue ? "/" : "",
		place->name, *file ? "/" : "", file); /* names have at most 255 bytes */
}

void place_path(const struct place *place, struct buf *out)
{
	char below[PATH_MAX];

	path_below(place, "", below);
	buf_printf(out, "%s/%s", spool_name(place->stage), below);
}

int place_open(const struct spool *spool, const struct place *place)
{
	char below[PATH_MAX];

	path_below(place, "", below);
	return disk_open_dir(spool->dir[place->stage], below);
}

int place_exists(const struct spool *spool, const struct place *place)
{
	char below[PATH_MAX];

	path_below(place, "", below);
	return disk_exists(spool->dir[place->stage], below);
}

/* What an open connection, or its rest, is known by: as a series of which only the sender is. */
static json_t *load_association(const struct spool *spool, const struct item *item)
{
	int dir = place_open(spool, item->place);
	json_t *assoc = dir < 0 ? NULL : assoc_load(dir), *sender = assoc_sender(assoc);
	json_t *tags = json_object(), *series = NULL;

	if (dir >= 0)
		(void)close(dir); /* only read */
	if (assoc && tags) {
		series_tag_sender(tags, sender);
		series = series_make(item->time_us, sender, json_incref(tags));
	}
	json_decref(tags);
	json_decref(sender);
	json_decref(assoc);
	return series;
}

/* A place's own name in a stage further on, or back: "<job>", "<job>.<target>". -1: no memory. */
static int rename_for(const struct place *place, enum spool_dir stage, char **name)
{
	bool ended = spool_stage[place->stage].holds == STAGE_ENDED;
	size_t length = ended ? job_ended(place->name) : strlen(place->name);
	struct buf made = { 0 };

	buf_add(&made, place->name, length);
	if (spool_stage[stage].holds == STAGE_ENDED)
		buf_printf(&made, ".%s", place->target);
	*name = made.data;
	return made.failed ? -1 : 0;
}

/* Where a job of a target has gone since the walk: all that a dispatcher does with it, and who
 * sends it again. False: nowhere there. */
static bool follow(const struct spool *spool, struct place *place)
{
	static const struct {
		enum spool_dir stage;
		enum place_state state;
	} next[] = { { SPOOL_SENDING, PLACE_SENDING }, { SPOOL_SUCCESS, PLACE_SENT },
		{ SPOOL_ERROR, PLACE_FAILED }, { SPOOL_DISCARD, PLACE_CANCELLED },
		{ SPOOL_OUTGOING, PLACE_WAITING } };

	for (size_t i = 0; place->target && i < sizeof(next) / sizeof(*next); i++) {
		struct place there = *place;

		there.stage = next[i].stage;
		there.state = next[i].state;
		if (rename_for(place, there.stage, &there.name) == 0 &&
			place_exists(spool, &there) == 1) {
			free(place->name);
			*place = there;
			return true;
		}
		free(there.name);
	}
	return false;
}

static json_t *load_from(const struct spool *spool, struct item *item, struct place *place,
	enum file file, bool *there)
{
	char below[PATH_MAX];
	json_t *object;

	for (int moves = 0; moves < MOVES; moves++) {
		path_below(place, file_name(file), below);
		object = jsonfile_load(spool->dir[place->stage], below);
		if (object)
			return object;
		if (errno == EINVAL) {
			*there = true;
			return NULL;
		}
		if (errno != ENOENT) {
			log_warning("unable to read %s/%s: %s; be the user who runs dcmspool",
				spool_name(place->stage), below, strerror(errno));
			item->unread = *there = true;
			return NULL;
		}
		if (place_exists(spool, place) != 0) {
			*there = true;
			return NULL;
		}
		if (!follow(spool, place))
			return NULL;
	}
	return NULL;
}

/* The file of the first place that has it. One that is damaged, as it is after a power failure,
 * counts as none. */
static json_t *load(const struct spool *spool, struct item *item, enum file file)
{
	bool there = false;

	for (size_t i = 0; i < item->count; i++) {
		struct place *place = &item->place[i];
		json_t *object;

		if (place->state == PLACE_DROPPED || place->state == PLACE_RECEIVING) {
			there = true;
			continue;
		}
		object = load_from(spool, item, place, file, &there);
		if (object)
			return object;
	}
	item->gone = !there;
	return NULL;
}

const json_t *item_series(const struct spool *spool, struct item *item)
{
	if (!item->asked_series) {
		item->asked_series = true;
		item->series = item->place->state == PLACE_RECEIVING
				       ? load_association(spool, item)
				       : load(spool, item, FILE_SERIES);
		if (item->time_us < 0)
			item->time_us = series_received_us(item->series);
	}
	return item->series;
}

const json_t *item_plan(const struct spool *spool, struct item *item)
{
	if (!item->asked_plan) {
		item->asked_plan = true;
		item->plan = load(spool, item, FILE_PLAN);
	}
	return item->plan;
}

static size_t count_images(const struct spool *spool, const struct place *place)
{
	int dir = place_open(spool, place);
	struct disk_names names;
	size_t count = 0;

	if (dir < 0)
		return errno == ENOTDIR; /* a file that was dropped */
	if (place->state == PLACE_RECEIVING ? disk_list(dir, ".", &names) == 0
					    : job_images(dir, &names) == 0) {
		for (size_t i = 0; i < names.count; i++)
			count += place->state != PLACE_RECEIVING ||
				 !file_is_ours(FILE_IN_ASSOCIATION, names.name[i]);
		disk_names_free(&names);
	}
	(void)close(dir); /* only read */
	return count;
}

size_t item_images(const struct spool *spool, struct item *item)
{
	const json_t *planned = plan_images(item_plan(spool, item));
	size_t most = 0, count;

	if (json_is_integer(planned) && json_integer_value(planned) > 0)
		return (size_t)json_integer_value(planned);
	for (size_t i = 0; i < item->count; i++) {
		count = count_images(spool, &item->place[i]);
		most = count > most ? count : most;
	}
	return most;
}

void item_free(struct item *item)
{
	free(item->name);
	json_decref(item->series);
	json_decref(item->plan);
}
