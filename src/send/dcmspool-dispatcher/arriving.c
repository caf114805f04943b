#include "arriving.h"

#include "base/jsonfile.h"
#include "conf/target.h"
#include "spool/early.h"
#include "spool/ledger.h"
#include "spool/plan.h"
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a name is among those that are done, or would be. */
static size_t find(const struct arriving *batch, const char *name, bool *found)
{
	size_t low = 0, high = batch->done.count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, batch->done.name[middle]);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

int arriving_done(struct arriving *batch, const char *name)
{
	struct disk_names *done = &batch->done;
	bool found;
	size_t at = find(batch, name, &found);
	char *added;

	if (found)
		return 0;
	if (disk_names_add(done, name) < 0)
		return -1;
	added = done->name[done->count - 1];
	memmove(done->name + at + 1, done->name + at, (done->count - 1 - at) * sizeof(char *));
	done->name[at] = added;
	return 0;
}

static int add_pending(struct arriving *batch, const char *name, off_t size)
{
	struct arriving_image *more = batch->pending;
	char *copy = strdup(name);

	if ((batch->count & (batch->count - 1)) == 0) /* full at each power of two */
		more = realloc(more, (batch->count ? batch->count * 2 : 1) * sizeof(*more));
	if (more)
		batch->pending = more;
	if (!more || !copy) {
		free(copy);
		errno = ENOMEM;
		return -1;
	}
	more[batch->count++] = (struct arriving_image){ copy, size };
	return 0;
}

/* Is it in the batch as it was filed? */
static bool is_there(const struct arriving *batch, const struct arriving_image *image)
{
	struct stat st;

	return fstatat(batch->dir, image->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size == image->size;
}

/* A line of the name was taken back: another association's image has it. */
static void take_back(struct arriving *batch, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct arriving_image *image = &batch->pending[i];

		if (strcmp(image->name, name) == 0 && !is_there(batch, image))
			free(image->name);
		else
			batch->pending[kept++] = *image;
	}
	batch->count = kept;
}

/* filed_take */
static int take_filed(void *context, const char *name, off_t size)
{
	bool found;

	if (size < 0) {
		take_back(context, name);
		return 0;
	}
	(void)find(context, name, &found);
	return found ? 0 : add_pending(context, name, size);
}

int arriving_again(struct arriving *batch, const char *name)
{
	struct stat st;

	/* One that has gone with its batch is the job's. */
	if (fstatat(batch->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return add_pending(batch, name, st.st_size);
}

/* What the ledger says of an image, whatever it is, is enough. */
struct known {
	struct arriving *batch;
	int result;
};
static void take_known(void *context, const struct ledger_line *line)
{
	struct known *known = context;

	if (known->result == 0)
		known->result = arriving_done(known->batch, line->image);
}

static int read_ledger(struct arriving *batch, int entry, const char *target)
{
	struct known known = { .batch = batch };

	if (ledger_read(entry, target, take_known, &known) < 0)
		return -1;
	return known.result;
}

/* Does the batch's decision name this entry? */
static enum arriving_is decided(int dir, const char *target, const char *entry)
{
	char job[EARLY_NAME_SIZE], name[EARLY_NAME_SIZE];
	json_t *early = early_load(dir);
	enum arriving_is is = ARRIVING_GONE;

	if (!early)
		return errno == ENOENT || errno == EINVAL ? ARRIVING_UNDECIDED : ARRIVING_UNKNOWN;
	early_job(early, target, job);
	early_entry(job, name);
	if (plan_has(plan_targets(early), target) && strcmp(name, entry) == 0)
		is = ARRIVING_THERE;
	json_decref(early);
	return is;
}

enum arriving_is arriving_open(struct arriving *batch, const struct spool *spool,
	const struct conf_target *target, const char *entry, int dir)
{
	enum arriving_is is;

	*batch = (struct arriving){ .dir = -1, .filed.fd = -1, .name = early_batch(dir) };
	if (!batch->name)
		return errno == ENOENT || errno == EINVAL ? ARRIVING_GONE : ARRIVING_UNKNOWN;
	if (!target_takes_ahead(target)) /* since the configuration was changed */
		return ARRIVING_UNDECIDED;
	batch->dir = disk_open_dir(spool->dir[SPOOL_INCOMING], batch->name);
	if (batch->dir < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? ARRIVING_GONE
									     : ARRIVING_UNKNOWN;
	is = decided(batch->dir, target->name, entry);
	if (is == ARRIVING_THERE && (read_ledger(batch, dir, target->name) < 0 ||
					    filed_tail_open(&batch->filed, batch->dir) < 0))
		is = ARRIVING_UNKNOWN;
	return is;
}

void arriving_close(struct arriving *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free(batch->pending[i].name);
	free(batch->pending);
	disk_names_free(&batch->done);
	filed_tail_close(&batch->filed);
	if (batch->dir >= 0)
		(void)close(batch->dir); /* only read */
	free(batch->name);
	*batch = (struct arriving){ .dir = -1, .filed.fd = -1 };
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A name may have been filed twice: its writer died between the line and the image. */
static void sort_once(struct disk_names *names)
{
	size_t kept = 0;

	if (names->count > 1)
		qsort(names->name, names->count, sizeof(*names->name), by_name);
	for (size_t i = 0; i < names->count; i++) {
		if (kept > 0 && strcmp(names->name[kept - 1], names->name[i]) == 0)
			free(names->name[i]);
		else
			names->name[kept++] = names->name[i];
	}
	names->count = kept;
}

int arriving_take(struct arriving *batch, struct disk_names *names)
{
	size_t kept = 0;
	int result = filed_tail_read(&batch->filed, take_filed, batch);

	*names = (struct disk_names){ 0 };
	for (size_t i = 0; i < batch->count; i++) {
		struct arriving_image *image = &batch->pending[i];
		bool done;

		(void)find(batch, image->name, &done);
		if (result == 0 && !done && is_there(batch, image))
			result = disk_names_add(names, image->name);
		else if (!done) {
			batch->pending[kept++] = *image;
			continue;
		}
		free(image->name);
	}
	batch->count = kept;
	sort_once(names);
	if (result < 0)
		disk_names_free(names);
	return result;
}

bool arriving_has(struct arriving *batch)
{
	if (filed_tail_read(&batch->filed, take_filed, batch) < 0)
		return false;
	for (size_t i = 0; i < batch->count; i++)
		if (is_there(batch, &batch->pending[i]))
			return true;
	return false;
}
