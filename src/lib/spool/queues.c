#define _GNU_SOURCE /* realpath */
#include "spool/queues.h"

#include "spool/job.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { MOMENT_MS = 5 };

/* The last component of path, which is cut off there; "" when none is left. */
static const char *cut_last(char *path)
{
	size_t length = strlen(path);
	char *slash;

	while (length > 0 && path[length - 1] == '/')
		path[--length] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return path; /* the caller does not cut once more */
	*slash = '\0';
	return slash + 1;
}

/* The components of a path: the name, and the target when it is one in a queue. */
static int take_path(char *path, struct queued *out)
{
	const char *name, *parent = "", *queues = "";
	bool is_queue = false;

	name = cut_last(path);
	if (name != path)
		parent = cut_last(path);
	if (name != path && parent != path)
		queues = cut_last(path);
	if (!name_ok(name))
		return -1;
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	for (int dir = 0; dir < SPOOL_DIRS && !is_queue; dir++)
		is_queue = spool_stage[dir].holds == STAGE_QUEUES &&
			   strcmp(queues, spool_name(dir)) == 0;
	if (is_queue && name_ok(parent))
		(void)snprintf(out->target, sizeof(out->target), "%s", parent);
	return 0;
}

static bool is_inside(const char *path, const char *directory)
{
	char *real = realpath(directory, NULL);
	size_t length = real ? strlen(real) : 0;
	bool inside = real && strncmp(path, real, length) == 0 && path[length] == '/';

	free(real);
	return inside;
}

int queues_operand(const char *spool, const char *text, struct queued *out)
{
	char *path = strchr(text, '/') ? realpath(text, NULL) : NULL;
	int result = -1;

	*out = (struct queued){ 0 };
	if (path && !is_inside(path, spool)) {
		log_error("%s is not in the spool %s; give another configuration with -c", text,
			spool);
		goto out;
	}
	if (!path)
		path = strdup(text);
	if (!path)
		die(EXIT_TEMPORARY, "out of memory");
	result = take_path(path, out);
	if (result < 0)
		log_error("%s cannot be the name of a job; take one of those in %s/outgoing/*",
			text, spool);
out:
	free(path);
	return result;
}

/* Is name the first length characters of entry, or those and the target behind? */
static bool is_name_of(const char *name, const char *entry, size_t length, const char *target)
{
	if (strncmp(name, entry, length) != 0)
		return false;
	name += length;
	return !*name || (*name == '.' && strcmp(name + 1, target) == 0);
}

static bool is_meant(const struct queued *meant, const char *entry, const char *target)
{
	size_t ahead = job_ahead(entry), length = ahead ? ahead : strlen(entry);
	size_t suffix = strlen(job_suffix(job_priority(entry)));

	if (!name_ok(entry) || (*meant->target && strcmp(meant->target, target) != 0))
		return false;
	if (is_name_of(meant->name, entry, length, target) ||
		is_name_of(meant->name, entry, strlen(entry), target))
		return true;
	return suffix > 0 && !strchr(entry, '~') &&
	       is_name_of(meant->name, entry, length - suffix, target);
}

static int add(struct queued_list *list, const char *name, const char *target)
{
	struct queued *more;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i].name, name) == 0 &&
			strcmp(list->item[i].target, target) == 0)
			return 0;
	more = realloc(list->item, (list->count + 1) * sizeof(*more));
	if (!more)
		return -1;
	list->item = more;
	(void)snprintf(more[list->count].name, sizeof(more->name), "%s", name);
	(void)snprintf(more[list->count].target, sizeof(more->target), "%s", target);
	list->count++;
	return 0;
}

static int find_in(const struct spool *spool, enum spool_dir where, const struct queued *meant,
	struct queued_list *out)
{
	struct disk_names targets, jobs;
	int result = disk_list(spool->dir[where], ".", &targets);

	for (size_t i = 0; i < targets.count && result == 0; i++) {
		const char *target = targets.name[i];

		if (!name_ok(target) || disk_list(spool->dir[where], target, &jobs) < 0)
			continue; /* outgoing/held, or just gone */
		for (size_t k = 0; k < jobs.count && result == 0; k++)
			if (is_meant(meant, jobs.name[k], target))
				result = add(out, jobs.name[k], target);
		disk_names_free(&jobs);
	}
	disk_names_free(&targets);
	return result;
}

int queues_find(const struct spool *spool, const struct queued *meant, struct queued_list *out)
{
	enum spool_dir first = stage_next(SPOOL_ROOT, STAGE_QUEUES);
	int result = 0;

	*out = (struct queued_list){ 0 };
	for (enum spool_dir dir = first; dir < SPOOL_DIRS && result == 0;
		dir = stage_next(dir, STAGE_QUEUES))
		result = find_in(spool, dir, meant, out);
	/* A job that moves on, or comes back, while we look is met in one of them. */
	if (result == 0)
		result = find_in(spool, first, meant, out);
	if (result < 0)
		queues_free(out);
	return result;
}

void queues_free(struct queued_list *list)
{
	free(list->item);
	*list = (struct queued_list){ 0 };
}

/* Does text begin with these characters, and either end there or go on with a target or a number?
 */
static bool begins(const char *text, const char *with)
{
	size_t length = strlen(with);

	return strncmp(text, with, length) == 0 && (!text[length] || strchr(".~", text[length]));
}

/* name: the job's, or "<job>.<target>". */
static int look_into(
	const struct spool *spool, enum spool_dir where, const char *name, struct disk_names *paths)
{
	bool routed = spool_stage[where].holds == STAGE_ENDED;
	struct disk_names names;
	int result = disk_list(spool->dir[where], ".", &names);

	for (size_t i = 0; i < names.count && result == 0; i++) {
		const char *entry = names.name[i];
		struct buf path = { 0 };

		/* Before it is routed a job has neither priority nor target. */
		if (!name_ok(entry) || !(routed ? begins(entry, name) : begins(name, entry)))
			continue;
		buf_printf(&path, "%s/%s", spool_name(where), entry);
		if (path.failed)
			errno = ENOMEM;
		result = path.failed ? -1 : disk_names_add(paths, path.data);
		buf_free(&path);
	}
	disk_names_free(&names);
	return result;
}

int queues_elsewhere(
	const struct spool *spool, const struct queued *meant, struct disk_names *paths)
{
	char name[2 * QUEUES_NAME_SIZE];
	int result = 0;

	(void)snprintf(name, sizeof(name), "%s%s%s", meant->name, *meant->target ? "." : "",
		meant->target);

	*paths = (struct disk_names){ 0 };
	for (int dir = 0; dir < SPOOL_DIRS && result == 0; dir++)
		if (spool_stage[dir].holds == STAGE_BATCHES ||
			spool_stage[dir].holds == STAGE_JOBS ||
			spool_stage[dir].holds == STAGE_ENDED)
			result = look_into(spool, dir, name, paths);
	if (result < 0)
		disk_names_free(paths);
	return result;
}

bool queues_wait(struct patience *patience)
{
	const struct timespec moment = { .tv_nsec = MOMENT_MS * 1000000L };

	if (patience->left_ms <= 0)
		return false;
	patience->left_ms -= MOMENT_MS;
	(void)nanosleep(&moment, NULL); /* cut short by a signal, it is as good */
	return true;
}

int queues_lock(int dir, const char *name, struct patience *patience)
{
	int fd;

	while ((fd = disk_lock_dir(dir, name, LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK)
		if (!queues_wait(patience)) {
			errno = EWOULDBLOCK;
			break;
		}
	return fd;
}

int queues_wake(const struct spool *spool, const char *target)
{
	static const char name[] = ".new.retry"; /* file_is_temporary() */
	int dir = disk_open_dir(spool->dir[SPOOL_OUTGOING], target), fd = -1, result = -1;

	if (dir < 0)
		return -1;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
	/* One that was left by a kill makes its event here. */
	if (fd >= 0)
		result = disk_unlink(dir, name);
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	(void)close(dir);        /* only used as a base */
	return result;
}
