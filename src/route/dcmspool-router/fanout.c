/*
 * Carries out plan.json. Each step may find that it was done already, before a crash: links that
 * exist are kept, directories that were moved out are not made again (STATES.md 5, J2 and J3).
 */
#define _GNU_SOURCE /* syncfs */
#include "router.h"

#include "base/log.h"
#include "base/str.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/plan.h"
#include "spool/series.h"
#include "spool/share.h"
#include "spool/told.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What goes into every copy of a job beside its images. */
static const enum file shared_files[] = { FILE_SERIES, FILE_PLAN };
enum { SHARED_FILES = sizeof(shared_files) / sizeof(shared_files[0]) };

enum { NAME_SIZE = 256 };

/* The job's name in outgoing/<target>/, by which it is found from there on. */
static void queue_name(
	const struct claim *claim, const json_t *plan, const char *target, char name[NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "%s%s", claim->job,
		job_suffix(plan_priority(plan, target))); /* fits */
}

static int write_job_json(
	int dir, const struct claim *claim, const json_t *plan, const char *target)
{
	json_t *series = series_load(claim->dir);
	char name[NAME_SIZE];
	int result;

	if (!series && errno != ENOENT && errno != EINVAL)
		return -1;
	queue_name(claim, plan, target, name);
	result = job_store(dir, name, target, series, plan);
	json_decref(series);
	return result;
}

/* Makes .fanout.new/<target>/: links of everything, and its job.json. */
static int build_copy(const struct claim *claim, int building, const json_t *plan,
	const struct disk_names *images, const char *target)
{
	int dir = -1, result = -1;

	if (disk_make_dir(building, target) < 0)
		return -1;
	dir = disk_open_dir(building, target);
	if (dir < 0)
		return -1;
	if (share_begin(dir) < 0)
		goto out;
	for (size_t i = 0; i < images->count; i++)
		if (share_file(claim->dir, dir, images->name[i]) < 0)
			goto out;
	for (size_t i = 0; i < SHARED_FILES; i++)
		if (share_file(claim->dir, dir, file_name(shared_files[i])) < 0)
			goto out;
	result = write_job_json(dir, claim, plan, target);
out:
	(void)close(dir); /* only used as a base */
	return result;
}

static int build_copies(
	const struct claim *claim, const json_t *plan, const struct disk_names *images)
{
	const json_t *targets = plan_targets(plan);
	int building = -1, result = -1;
	json_t *target;
	size_t i;

	if (disk_make_dir(claim->dir, file_name(FILE_FANOUT_NEW)) < 0)
		return -1;
	building = disk_open_dir(claim->dir, file_name(FILE_FANOUT_NEW));
	if (building < 0)
		return -1;
	json_array_foreach (targets, i, target)
		if (build_copy(claim, building, plan, images, json_string_value(target)) < 0)
			goto out;
	/* All copies in one go; linked images were written to disk before the plan. */
	if (syncfs(building) == 0)
		result = disk_rename(
			claim->dir, file_name(FILE_FANOUT_NEW), claim->dir, file_name(FILE_FANOUT));
out:
	(void)close(building); /* only used as a base */
	return result;
}

/* Moves the job's directory (or its copy) to outgoing/<target>/. */
static int move_out(struct router *router, const struct claim *claim, const json_t *plan, int from,
	const char *name, const char *target)
{
	int outgoing = router->spool.dir[SPOOL_OUTGOING], queue, result;
	char to[NAME_SIZE];

	if (disk_make_dir(outgoing, target) < 0)
		return -1;
	queue = disk_open_dir(outgoing, target);
	if (queue < 0)
		return -1;
	queue_name(claim, plan, target, to);
	result = disk_rename_unique(from, name, queue, to, NULL, 0);
	if (result == 0)
		result = fsync(queue);
	(void)close(queue); /* only used as a base */
	return result;
}

/* Moves out what is left in fanout/; its names are the targets'. */
static int deliver_copies(struct router *router, const struct claim *claim, const json_t *plan)
{
	int dir = disk_open_dir(claim->dir, file_name(FILE_FANOUT)), result = 0;
	struct disk_names targets;

	if (dir < 0)
		return -1;
	if (disk_list(dir, ".", &targets) < 0) {
		(void)close(dir);
		return -1;
	}
	for (size_t i = 0; i < targets.count && result == 0; i++)
		result = move_out(router, claim, plan, dir, targets.name[i], targets.name[i]);
	disk_names_free(&targets);
	(void)close(dir); /* only used as a base */
	return result;
}

/* After everything was moved out: the original links go. The images first and fanout/ after them: a
 * directory without both is known to be finished (route.c). rmdir tells whether anything arrived
 * late. */
static int remove_original(struct router *router, const struct claim *claim)
{
	struct disk_names images;
	int result = 0;

	if (job_images(claim->dir, &images) < 0)
		return -1;
	for (size_t i = 0; i < images.count && result == 0; i++)
		result = disk_unlink(claim->dir, images.name[i]);
	disk_names_free(&images);
	if (result < 0)
		return -1;
	if (unlinkat(claim->dir, file_name(FILE_FANOUT), AT_REMOVEDIR) < 0 && errno != ENOENT)
		return -1;
	for (size_t i = 0; i < SHARED_FILES; i++)
		if (file_remove(claim->dir, shared_files[i]) < 0)
			return -1;
	return unlinkat(router->spool.dir[SPOOL_ROUTING], claim->job, AT_REMOVEDIR);
}

/* "a,b": the strings of an array, for log and journal. The caller frees with buf_free(). */
static struct buf joined(const json_t *array)
{
	struct buf text = { 0 };
	json_t *value;
	size_t i;

	json_array_foreach (array, i, value)
		buf_printf(&text, "%s%s", i ? "," : "", json_string_value(value));
	return text;
}

/* "a=urgent,b=offpeak": the priorities that are not normal. */
static struct buf joined_priorities(const json_t *plan)
{
	struct buf text = { 0 };
	const char *target;
	json_t *word;

	json_object_foreach (plan_priorities(plan), target, word)
		buf_printf(
			&text, "%s%s=%s", text.length ? "," : "", target, json_string_value(word));
	return text;
}

/* routed: before the first copy is moved out, so that no kill leaves a job whose targets nobody has
 * told; it may be told twice. discarded: when it lies there. */
static void tell(
	struct router *router, const struct claim *claim, const json_t *plan, bool discarded)
{
	struct buf rules = joined(plan_rules(plan));
	struct buf to = joined(plan_targets(plan));
	struct buf priorities = joined_priorities(plan);
	char images[24];

	(void)snprintf(
		images, sizeof(images), "%lld", (long long)json_integer_value(plan_images(plan)));
	log_info("%s job=%s rules=%s targets=%s%s%s", discarded ? "discarded" : "routed",
		claim->job, rules.data ? rules.data : "none-applied", to.data ? to.data : "-",
		priorities.data ? " priorities=" : "", priorities.data ? priorities.data : "");
	journal_write(&router->spool, discarded ? "discarded" : "routed", "job", claim->job,
		"images", images, "rules", rules.data ? rules.data : "", "targets", to.data,
		"priorities", priorities.data, NULL);
	/* The descriptor is that of the directory, which lies in discard/ now. */
	if (discarded && told_set(&router->spool, claim->dir) < 0)
		log_warning(
			"unable to note that the journal has it: %s; it is written again job=%s",
			strerror(errno), claim->job);
	buf_free(&rules);
	buf_free(&to);
	buf_free(&priorities);
}

static int discard(struct router *router, const struct claim *claim, const json_t *plan)
{
	if (write_job_json(claim->dir, claim, plan, "") < 0 ||
		disk_rename_unique(router->spool.dir[SPOOL_ROUTING], claim->job,
			router->spool.dir[SPOOL_DISCARD], claim->job, NULL, 0) < 0)
		return -1;
	tell(router, claim, plan, true);
	return 0;
}

static int route_to_one(
	struct router *router, const struct claim *claim, const json_t *plan, const char *target)
{
	if (write_job_json(claim->dir, claim, plan, target) < 0)
		return -1;
	tell(router, claim, plan, false);
	(void)journal_sync(&router->spool); /* without it a power failure may take that line: no
					       image waits for it */
	return move_out(router, claim, plan, router->spool.dir[SPOOL_ROUTING], claim->job, target);
}

static int route_to_many(struct router *router, const struct claim *claim, const json_t *plan)
{
	struct disk_names images;
	int result = 0;

	if (file_exists(claim->dir, FILE_FANOUT) == 0) {
		if (job_images(claim->dir, &images) < 0)
			return -1;
		tell(router, claim, plan, false); /* the copies' syncfs has the line, too */
		result = build_copies(claim, plan, &images);
		disk_names_free(&images);
	}
	if (result == 0)
		result = deliver_copies(router, claim, plan);
	if (result == 0)
		result = remove_original(router, claim);
	return result;
}

int fanout(struct router *router, const struct claim *claim, json_t *plan)
{
	const json_t *targets = plan_targets(plan);

	plan_tell(router, claim, plan);
	if (json_array_size(targets) == 0)
		return discard(router, claim, plan);
	if (json_array_size(targets) > 1)
		return route_to_many(router, claim, plan);
	return route_to_one(router, claim, plan, json_string_value(json_array_get(targets, 0)));
}
