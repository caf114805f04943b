#include "spool/walk.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "spool/early.h"
#include "spool/file.h"
#include "spool/group.h"
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

/* Takes over the names. */
static int add_named(struct walk *walk, enum spool_dir stage, enum place_state state,
	const char *target, char *name, char *job)
{
	struct place *more = grow(walk->place, walk->places, sizeof(*more));

	if (!more) {
		free(name);
		free(job);
		return -1;
	}
	walk->place = more;
	more[walk->places++] = (struct place){ .stage = stage,
		.state = state,
		.name = name,
		.job = job,
		.target = target,
		.meant = true };
	return 0;
}

static int add_place(struct walk *walk, enum spool_dir stage, enum place_state state,
	const char *target, char *name)
{
	return add_named(walk, stage, state, target, name, NULL);
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

/* The job that a batch will be when it was decided early, or NULL; the caller frees. */
static char *promised(int batch)
{
	json_t *early = early_load(batch);
	const char *job = jsonfile_text(early, "job");
	char *copy = job_base(job) ? strdup(job) : NULL; /* without memory, it is not known */

	json_decref(early);
	return copy;
}

/* Takes over name. */
static int add_dropped_or_batch(
	const struct spool *spool, struct walk *walk, enum spool_dir stage, char *name)
{
	enum place_state state = PLACE_DROPPED;
	int dir = disk_open_dir(spool->dir[stage], name);
	char *job = NULL;

	if (dir < 0) /* a file, or what nobody may read */
		return add_place(walk, stage, state, NULL, name);
	if (job_exists(dir) == 1) {
		state = PLACE_RESENT;
	} else if (series_exists(dir) == 1) {
		state = PLACE_COLLECTING;
		job = promised(dir);
	}
	(void)close(dir); /* only looked at */
	return add_named(walk, stage, state, NULL, name, job);
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

/* Images that are in no series yet; a connection that has brought none is none of a series'. */
static int add_association(
	const struct spool *spool, struct walk *walk, enum spool_dir stage, char *name)
{
	struct disk_names files;
	size_t images = 0;

	if (list(spool, walk, stage, name, &files) < 0) {
		free(name);
		return -1;
	}
	for (size_t i = 0; i < files.count; i++)
		images += !file_is_ours(FILE_IN_ASSOCIATION, files.name[i]);
	disk_names_free(&files);
	if (images > 0)
		return add_place(walk, stage, PLACE_RECEIVING, NULL, name);
	free(name);
	return 0;
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
		return add_association(spool, walk, stage, name);
	case STAGE_BATCHES:
		return add_dropped_or_batch(spool, walk, stage, name);
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

/* As held_is(); and it is told why it could not be seen. */
static bool is_held(struct walk *walk, int dir, const char *target)
{
	int held = disk_exists(dir, HELD_FILE);

	if (held < 0) {
		log_warning("unable to see whether %s is held: %s; it counts as held", target,
			strerror(errno));
		walk->incomplete = true;
	}
	return held != 0;
}

static void look_at_queue(struct walk *walk, int outgoing, int dir, struct walk_queue *queue)
{
	int paused = pause_load(dir, &queue->pause);

	queue->paused = paused > 0 || (paused < 0 && errno == EINVAL);
	if (paused < 0 && errno != EINVAL) {
		log_warning(
			"unable to see whether %s is paused: %s", queue->target, strerror(errno));
		walk->incomplete = true;
	}
	queue->held = is_held(walk, outgoing, queue->target) || is_held(walk, dir, queue->target);
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
		look_at_queue(walk, spool->dir[stage], dir, queue);
		(void)close(dir); /* only read */
	}
	for (size_t i = 0; i < names.count && result == 0; i++) {
		if (file_is_ours(FILE_IN_QUEUE, names.name[i]) || names.name[i][0] == '.')
			continue;
		result = add_place(walk, stage, job_ahead(names.name[i]) ? PLACE_AHEAD : state,
			name, names.name[i]);
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
	return result < 0 ? -1 : group_places(spool, out);
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
