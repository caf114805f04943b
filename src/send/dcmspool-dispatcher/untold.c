#include "untold.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/spool.h"
#include "spool/told.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void untold_tell(const struct spool *spool, int dir, const char *name)
{
	json_t *json = told_is(dir) == 0 ? job_load(dir) : NULL;
	const char *target = jsonfile_text(json, "target");
	struct disk_names images;
	char count[24];

	/* What has no target was put there by the router, with a line of its own. */
	if (*target && job_images(dir, &images) == 0) {
		(void)snprintf(count, sizeof(count), "%zu", images.count);
		disk_names_free(&images);
		log_warning("given up, and the journal may not have it: told again, see error/%s",
			name);
		if (journal_write(spool, "failed", "job", jsonfile_text(json, "job"), "target",
			    target, "images", count, "again", "true", NULL) == 0)
			(void)told_set(dir); /* twice is possible */
	}
	json_decref(json);
}

void untold_tell_all(const struct spool *spool)
{
	struct disk_names names;

	if (disk_list(spool->dir[SPOOL_ERROR], ".", &names) < 0) {
		log_error("unable to list error: %s; what the journal lacks is told at the next "
			  "start",
			strerror(errno));
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		int dir = disk_open_dir(spool->dir[SPOOL_ERROR], names.name[i]);

		if (dir < 0)
			continue;
		untold_tell(spool, dir, names.name[i]);
		(void)close(dir); /* only used as a base */
	}
	disk_names_free(&names);
}
