#include "tree.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "ends.h"
#include "spool/ended.h"
#include "spool/file.h"
#include "spool/filed.h"
#include "spool/job.h"
#include "spool/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 1024 };

/* Something that lies in a directory of the spool. */
struct thing {
	struct account *account;
	enum spool_dir where;
	const char *name, *target; /* target: whose queue it is in; "": none */
	int dir;
	json_int_t images;
};

static _Noreturn void give_up(const char *path)
{
	die(EXIT_TEMPORARY, "unable to look at %s: %s; try again", path, strerror(errno));
}

bool tree_tell(const struct spool *spool)
{
	struct disk_names names;
	bool told = true;

	for (int i = 0; i < SPOOL_DIRS; i++) {
		if (spool_stage[i].holds != STAGE_ENDED)
			continue;
		if (disk_list(spool->dir[i], ".", &names) < 0)
			give_up(spool_stage[i].name);
		for (size_t n = 0; n < names.count; n++)
			if (*names.name[n] != '.')
				told &= ended_tell_at_rest(
						spool, (enum spool_dir)i, names.name[n]) >= 0;
		disk_names_free(&names);
	}
	return told;
}

/* What has gone on meanwhile, is no directory or damaged is seen elsewhere, or not at all; what may
 * be had in a moment must not look as if it were not there. */
static void check(bool had, const char *path)
{
	if (!had && errno != ENOENT && errno != ENOTDIR && errno != ELOOP && errno != EINVAL)
		give_up(path);
}

static json_int_t count_images(int dir, const char *path)
{
	struct disk_names images;
	json_int_t count;

	if (job_images(dir, &images) < 0)
		give_up(path);
	count = (json_int_t)images.count;
	disk_names_free(&images);
	return count;
}

/* Where the job lies, for whoever wants to know which images. */
static void note_place(json_t *job, const struct thing *thing, const char *target)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s%s%s", spool_name(thing->where), thing->target,
		*thing->target ? "/" : "", thing->name);
	(void)json_object_set_new(account_in(job, "places"), path, json_string(target));
}

/* What the files of the job know: who sent it, which targets the rules wanted. */
static void read_files(json_t *job, int dir)
{
	json_t *json = job_load(dir), *plan = plan_load(dir), *target;
	const char *sender = jsonfile_text(json_object_get(json, "sender"), "calling_aet");
	size_t i;

	check(plan, "plan.json");
	if (*sender)
		account_set(account_in(job, "senders"), sender, 1);
	json_array_foreach (plan_targets(plan), i, target)
		account_set(ends_of(job, json_string_value(target)), "planned", 1);
	json_decref(plan);
	json_decref(json);
}

/* A batch's images, by who brought them; a job that was moved back is just to be routed again. */
static void in_incoming(const struct thing *thing)
{
	struct disk_names images;
	struct filed filed;

	if (job_exists(thing->dir) == 1) {
		ends_move(thing->account, thing->name, thing->images);
		return;
	}
	check(filed_load(thing->dir, &filed) == 0, thing->name);
	if (job_images(thing->dir, &images) == 0)
		for (size_t i = 0; i < images.count; i++) {
			const struct filed_line *line = filed_find(&filed, images.name[i]);

			if (line && *line->association)
				account_add(account_association(thing->account, line->association),
					"waits", 1);
			else
				thing->account->unattributed++;
		}
	disk_names_free(&images);
	filed_free(&filed);
}

/* Its images wait for each target that they have not been moved out to. */
static void in_routing(const struct thing *thing)
{
	json_t *job = account_job(thing->account, thing->name), *plan, *target;
	int fanout = disk_open_dir(thing->dir, file_name(FILE_FANOUT)), copy;
	size_t i;

	if (job) {
		plan = plan_load(thing->dir);
		account_set(job, "routing", 1);
		read_files(job, thing->dir);
		json_array_foreach (plan_targets(plan), i, target) {
			const char *name = json_string_value(target);

			copy = fanout < 0 ? -1 : disk_open_dir(fanout, name);
			account_add(ends_of(job, name), "waits",
				copy >= 0     ? count_images(copy, thing->name)
				: fanout >= 0 ? 0
					      : thing->images);
			if (copy >= 0)
				(void)close(copy); /* only used as a base */
		}
		json_decref(plan);
	}
	if (fanout >= 0)
		(void)close(fanout); /* only used as a base */
}

static void in_queue(const struct thing *thing)
{
	json_t *job = job_ahead(thing->name) ? NULL : account_job(thing->account, thing->name);
	char was[ENDS_NAME_SIZE];

	if (!job)
		return; /* or what is sent ahead of a batch, which has the images */
	ends_target(thing->name, was);
	if (*was) { /* moved there by hand, and not seen yet by a dispatcher */
		ends_move(thing->account, thing->name, thing->images);
		return;
	}
	account_add(ends_of(job, thing->target), "waits", thing->images);
	note_place(job, thing, thing->target);
	read_files(job, thing->dir);
}

/* A quarantine has no job.json; what a router has put there of a job has its name. */
static void in_quarantine(const struct thing *thing)
{
	json_t *job = account_job(thing->account, thing->name);
	struct disk_names files;

	if (!job)
		return;
	if (disk_list(thing->dir, ".", &files) < 0)
		give_up(thing->name);
	for (size_t i = 0; i < files.count; i++)
		if (!file_is_ours(FILE_IN_JOB, files.name[i]))
			account_set(account_in(job, "in_error"), files.name[i], 1);
	disk_names_free(&files);
}

static void at_rest(const struct thing *thing)
{
	static const char deleting[] = ".deleting.";
	bool marked = strncmp(thing->name, deleting, sizeof(deleting) - 1) == 0;
	const char *name = thing->name + (marked ? sizeof(deleting) - 1 : 0);
	json_t *json = job_load(thing->dir), *job = account_job(thing->account, name), *end;
	char target[ENDS_NAME_SIZE];

	check(json, thing->name);
	ends_target(name, target);
	if (!*target) /* moved there by hand, or no rule wanted it */
		(void)snprintf(target, sizeof(target), "%s", jsonfile_text(json, "target"));
	if (!json && thing->where == SPOOL_ERROR) {
		in_quarantine(thing);
	} else if (job) {
		end = ends_of(job, target);
		account_add(end, "rests", thing->images);
		if (thing->where == SPOOL_ERROR)
			account_add(end, "in_error", thing->images);
		if (marked)
			account_set(end, "deleted", 1);
		note_place(job, thing, target);
		read_files(job, thing->dir);
	}
	json_decref(json);
}

/* Of an association that is still open, nobody knows its numbers. */
static void in_receiving(const struct thing *thing)
{
	account_set(account_association(thing->account, thing->name), "open", 1);
}

static void (*const take[])(const struct thing *thing) = {
	[STAGE_ASSOCIATIONS] = in_receiving,
	[STAGE_BATCHES] = in_incoming,
	[STAGE_JOBS] = in_routing,
	[STAGE_QUEUES] = in_queue,
	[STAGE_ENDED] = at_rest,
	[STAGE_LINES] = NULL,
};

/* Each directory in one of a stage, or in one of its queues. */
static void read_dir(struct account *account, enum spool_dir where, int dir, const char *target)
{
	struct thing thing = { .account = account, .where = where, .target = target };
	struct disk_names names;

	if (disk_list(dir, ".", &names) < 0)
		give_up(spool_name(where));
	for (size_t i = 0; i < names.count; i++) {
		thing.name = names.name[i];
		thing.dir = disk_open_dir(dir, thing.name);
		check(thing.dir >= 0, thing.name);
		if (thing.dir < 0)
			continue;
		thing.images = count_images(thing.dir, thing.name);
		take[spool_stage[where].holds](&thing);
		(void)close(thing.dir); /* only used as a base */
	}
	disk_names_free(&names);
}

static void read_queues(struct account *account, enum spool_dir where)
{
	int stage = account->spool->dir[where], dir;
	struct disk_names names;

	if (disk_list(stage, ".", &names) < 0)
		give_up(spool_name(where));
	for (size_t i = 0; i < names.count; i++) {
		dir = disk_open_dir(stage, names.name[i]);
		check(dir >= 0, names.name[i]);
		if (dir < 0)
			continue; /* a file: held, say */
		read_dir(account, where, dir, names.name[i]);
		(void)close(dir); /* only used as a base */
	}
	disk_names_free(&names);
}

void tree_read(struct account *account)
{
	for (int i = 0; i < SPOOL_DIRS; i++) {
		if (spool_stage[i].holds == STAGE_QUEUES)
			read_queues(account, (enum spool_dir)i);
		else if (take[spool_stage[i].holds])
			read_dir(account, (enum spool_dir)i, account->spool->dir[i], "");
	}
}
