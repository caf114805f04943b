#include "which.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "spool/job.h"
#include "spool/ledger.h"

#include <string.h>
#include <unistd.h>

static void take(void *context, const struct ledger_line *line)
{
	account_set(context, line->image, 1);
}

/* Images of one of the job's directories: in known those that it speaks of or has, in there those
 * that it has. */
static void read_place(const struct spool *spool, const char *path, json_t *known, json_t *there)
{
	int dir = disk_open_dir(spool->dir[SPOOL_ROOT], path);
	struct disk_names images;

	if (dir < 0)
		return;                            /* it has gone on */
	(void)ledger_read(dir, NULL, take, known); /* or it was at no sender yet */
	if (job_images(dir, &images) == 0)
		for (size_t i = 0; i < images.count; i++) {
			account_set(known, images.name[i], 1);
			if (there)
				account_set(there, images.name[i], 1);
		}
	disk_names_free(&images);
	(void)close(dir); /* only used as a base */
}

void which_images(const struct account *account, json_t *difference)
{
	json_t *job = json_object_get(account->jobs, jsonfile_text(difference, "job"));
	json_t *known = json_object(), *there = json_object(), *list = json_array(), *target;
	const char *path, *name;
	json_t *one;

	json_object_foreach (json_object_get(job, "places"), path, target)
		read_place(account->spool, path, known,
			strcmp(json_string_value(target), jsonfile_text(difference, "target")) == 0
				? there
				: NULL);
	json_object_foreach (known, name, one)
		if (!json_object_get(there, name))
			(void)json_array_append_new(list, json_string(name));
	json_decref(known);
	json_decref(there);
	(void)json_object_set_new(difference, "images", list);
}
