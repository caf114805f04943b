#include "spool/walk.h"

#include "base/disk.h"
#include "base/log.h"
#include "spool/file.h"
#include "spool/held.h"
#include "spool/job.h"
#include "spool/series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for one more in an array of so many, which is full at each power of two. NULL: none. */
static void *grow(void *array, size_t count, size_t size)
{
	return count & (count - 1) ? array : realloc(array, (count ? 2 * count : 1) * size);
}

/* Takes over name. */
static int add_place(struct walk *walk, enum spool_dir stage, enum place_state state,
	const char *target, char *name)
{
	struct place *more = grow(walk->place, walk->places, sizeof(*more));

	if (!more) {
		free(name);
		return -1;
	}
	walk->place = more;
	more[walk->places++] = (struct place){
		.stage = stage, .state = state, .name = name, .target = target, .meant = true
	};
	return 0;
}

static struct walk_queue *find_queue(const struct walk *walk, const char *target, size_t length)
{
	for (size_t i = 0; i < walk->queues; i++)
		if (strncmp(walk->queue[i].target, target, length) == 0 &&
			!walk->queue[i].target[length])
			return &walk->queue[i];
	return NULL;
}

const struct walk_queue *walk_queue(const struct walk *walk, const char *target)
{
	return target ? find_queue(walk, target, strlen(target)) : NULL;
}

static struct walk_queue *add_queue(struct walk *walk, const char *target, size_t length)
{
	struct walk_queue *found = find_queue(walk, target, length), *more;
	char *copy;

	if (found)
		return found;
	copy = strndup(target, length);
	more = copy ? grow(walk->queue, walk->queues, sizeof(*more)) : NULL;
	if (!more) {
		free(copy);
		return NULL;
	}
	walk->queue = more;
	more += walk->queues++;
	*more = (struct walk_queue){ .target = copy };
	return more;
}

/* What has gone since its name was read is no failure. */
static int list(const struct spool *spool, struct walk *walk, enum spool_dir stage,
	const char *name, struct disk_names *out)
{
	if (disk_list(spool->dir[stage], name, out) == 0)
		return 0;
	*out = (struct disk_names){ 0 };
	if (errno == ENOMEM)
		return -1;
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return 0;
	log_warning("unable to list %s/%s: %s; what lies there is missing here", spool_name(stage),
		name, strerror(errno));
	walk->incomplete = true;
	return 0;
}

static bool is_directory(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* ---- stages without queues ----------------------------------------------------------------- */

static enum place_state dropped_or_batch(int incoming, const char *name)
{
	enum place_state state = PLACE_DROPPED;
	int dir = disk_open_dir(incoming, name);

	if (dir < 0)
		return state; /* a file, or what nobody may read */
	if (job_exists(dir) == 1)
		state = PLACE_RESENT;
	else if (series_exists(dir) == 1)
		state = PLACE_COLLECTING;
	(void)close(dir); /* only looked at */
	return state;
}

static enum place_state ended_state(enum spool_dir stage, const char *target)
{
	if (stage == SPOOL_SUCCESS)
		return PLACE_SENT;
	if (stage == SPOOL_DISCARD)
		return target ? PLACE_CANCELLED : PLACE_DISCARDED;
	return target ? PLACE_FAILED : PLACE_QUARANTINED;
}

/* "<job>.<target>", perhaps with the "~2" of disk_rename_unique(). */
static int add_ended(struct walk *walk, enum spool_dir stage, char *name)
{
	size_t job = job_ended(name);
	const struct walk_queue *queue = NULL;
	const char *target = name + job + 1, *number = strrchr(name, '~');

	if (job && number && strspn(number + 1, "0123456789") == strlen(number + 1) &&
		number > target)
		queue = add_queue(walk, target, (size_t)(number - target));
	else if (job)
		queue = add_queue(walk, target, strlen(target));
	if (job && !queue) {
		free(name);
		return -1;
	}
	return add_place(walk, stage, ended_state(stage, queue ? queue->target : NULL),
		queue ? queue->target : NULL, name);
}

/* Takes over name. */
static int add_entry(const struct spool *spool, struct walk *walk, enum spool_dir stage, char *name)
{
	/* Hidden names are being made or deleted; in incoming/ they are left alone. */
	if (*name == '.') {
		free(name);
		return 0;
	}
	switch (spool_stage[stage].holds) {
	case STAGE_ASSOCIATIONS:
		return add_place(walk, stage, PLACE_RECEIVING, NULL, name);
	case STAGE_BATCHES:
		return add_place(
			walk, stage, dropped_or_batch(spool->dir[stage], name), NULL, name);
	case STAGE_ENDED:
		return add_ended(walk, stage, name);
	default:
		return add_place(walk, stage, PLACE_ROUTING, NULL, name);
	}
}

static int walk_stage(const struct spool *spool, struct walk *walk, enum spool_dir stage)
{
	struct disk_names names;
	int result = list(spool, walk, stage, ".", &names);

	for (size_t i = 0; i < names.count && result == 0; i++) {
		result = add_entry(spool, walk, stage, names.name[i]);
		names.name[i] = NULL;
	}
	disk_names_free(&names);
	return result;
}

/* ---- queues -------------------------------------------------------------------------------- */

static void look_at_queue(int dir, bool all_held, struct walk_queue *queue)
{
	int paused = pause_load(dir, &queue->pause);

	queue->held = all_held || held_is(dir);
	queue->paused = paused > 0 || (paused < 0 && errno == EINVAL);
}

static int walk_queue_of(const struct spool *spool, struct walk *walk, enum spool_dir stage,
	const char *target, enum place_state state)
{
	struct walk_queue *queue = add_queue(walk, target, strlen(target));
	const char *name = queue ? queue->target : NULL;
	struct disk_names names;
	int result = queue ? list(spool, walk, stage, target, &names) : -1;
	int dir;

	if (result < 0)
		return -1;
	if (state == PLACE_WAITING && (dir = disk_open_dir(spool->dir[stage], target)) >= 0) {
		look_at_queue(dir, held_is(spool->dir[stage]), queue);
		(void)close(dir); /* only read */
	}
	for (size_t i = 0; i < names.count && result == 0; i++) {
		if (file_is_ours(FILE_IN_QUEUE, names.name[i]) || names.name[i][0] == '.')
			continue;
		result = add_place(walk, stage, state, name, names.name[i]);
		names.name[i] = NULL;
	}
	disk_names_free(&names);
	return result;
}

static int walk_queues(
	const struct spool *spool, struct walk *walk, enum spool_dir stage, enum place_state state)
{
	struct disk_names targets;
	int result = list(spool, walk, stage, ".", &targets);

	for (size_t i = 0; i < targets.count && result == 0; i++)
		if (targets.name[i][0] != '.' && is_directory(spool->dir[stage], targets.name[i]))
			result = walk_queue_of(spool, walk, stage, targets.name[i], state);
	disk_names_free(&targets);
	return result;
}

/* ---- places become items ------------------------------------------------------------------- */

/* How many characters of a place's name are its series'. */
static size_t key_length(const char *name)
{
	size_t job = job_base(name);

	return job ? job : strlen(name);
}

static int by_key(const void *a, const void *b)
{
	const struct place *left = a, *right = b;
	size_t n = key_length(left->name), m = key_length(right->name);
	int order = memcmp(left->name, right->name, n < m ? n : m);

	if (order == 0)
		order = (n > m) - (n < m);
	if (order == 0)
		order = (int)left->stage - (int)right->stage;
	if (order == 0 && left->target && right->target)
		order = strcmp(left->target, right->target);
	return order ? order : strcmp(left->name, right->name);
}

static bool same_series(const struct place *a, const struct place *b)
{
	size_t n = key_length(a->name);

	return n == key_length(b->name) && memcmp(a->name, b->name, n) == 0;
}

static bool same_place(const struct place *a, const struct place *b)
{
	return a->stage == b->stage && a->target == b->target && strcmp(a->name, b->name) == 0;
}

/* Those that a check leaves, the first ones of place. Returns their number. */
static size_t keep(const struct spool *spool, struct place *place, size_t count,
	bool (*stays)(const struct spool *spool, const struct place *kept, size_t count,
		const struct place *one))
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (stays(spool, place, kept, &place[i]))
			place[kept++] = place[i];
		else
			free(place[i].name);
	}
	return kept;
}

/* The first queues were looked at twice. Places are sorted. */
static bool is_new(
	const struct spool *spool, const struct place *kept, size_t count, const struct place *one)
{
	(void)spool; /* it has been read */
	return count == 0 || !same_place(&kept[count - 1], one);
}

static bool is_there(
	const struct spool *spool, const struct place *kept, size_t count, const struct place *one)
{
	(void)kept, (void)count; /* of this one alone */
	return spool_stage[one->stage].holds == STAGE_ENDED || place_exists(spool, one) != 0;
}

/* A series in several places may be in one of them no longer. */
static size_t settle(const struct spool *spool, struct place *place, size_t count)
{
	count = keep(spool, place, count, is_new);
	return count > 1 ? keep(spool, place, count, is_there) : count;
}

static int add_item(const struct spool *spool, struct walk *walk, struct place *place, size_t count)
{
	struct item item = {
		.place = place, .count = count, .time_us = spool_stamp_time(place->name)
	};
	struct item *more = grow(walk->item, walk->count, sizeof(*more));

	item.name = strndup(place->name, key_length(place->name));
	if (more)
		walk->item = more;
	if (!more || !item.name) {
		free(item.name);
		return -1;
	}
	if (item.time_us < 0)
		(void)item_series(spool, &item); /* a batch: few of them */
	walk->item[walk->count++] = item;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct item *left = a, *right = b;

	if (left->time_us != right->time_us)
		/* -1 is the greatest so */
		return (uint64_t)left->time_us < (uint64_t)right->time_us ? -1 : 1;
	return strcmp(left->name, right->name);
}

static int make_items(const struct spool *spool, struct walk *walk)
{
	struct place *place = walk->place;
	size_t total = walk->places, kept = 0;
	int result = 0;

	if (total > 1)
		qsort(place, total, sizeof(*place), by_key);
	for (size_t i = 0, end; i < total; i = end) {
		size_t count;

		for (end = i + 1; end < total && same_series(&place[i], &place[end]); end++)
			;
		count = settle(spool, &place[i], end - i);
		memmove(&place[kept], &place[i], count * sizeof(*place));
		if (count > 0 && result == 0)
			result = add_item(spool, walk, &place[kept], count);
		kept += count;
	}
	walk->places = kept;
	if (walk->count > 1)
		qsort(walk->item, walk->count, sizeof(*walk->item), by_time);
	return result;
}

int walk_spool(const struct spool *spool, struct walk *out)
{
	enum spool_dir first = stage_next(SPOOL_ROOT, STAGE_QUEUES);
	int result = 0;

	*out = (struct walk){ 0 };
	for (enum spool_dir stage = SPOOL_ROOT; stage < SPOOL_DIRS && result == 0; stage++) {
		switch (spool_stage[stage].holds) {
		case STAGE_NOTHING:
		case STAGE_LINES:
			break;
		case STAGE_QUEUES:
			result = walk_queues(
				spool, out, stage, stage == first ? PLACE_WAITING : PLACE_SENDING);
			break;
		default:
			result = walk_stage(spool, out, stage);
		}
	}
	/* What came back from sending/ while that was looked at. */
	if (result == 0)
		result = walk_queues(spool, out, first, PLACE_WAITING);
	return result < 0 ? -1 : make_items(spool, out);
}

void walk_free(struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++)
		item_free(&walk->item[i]);
	for (size_t i = 0; i < walk->places; i++)
		free(walk->place[i].name);
	for (size_t i = 0; i < walk->queues; i++)
		free(walk->queue[i].target);
	free(walk->item);
	free(walk->place);
	free(walk->queue);
	*walk = (struct walk){ 0 };
}
