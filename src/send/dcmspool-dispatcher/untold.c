#include "untold.h"

#include "base/disk.h"
#include "base/log.h"
#include "spool/ended.h"
#include "spool/spool.h"
#include "spool/told.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void untold_tell(const struct spool *spool, int dir, const char *name)
{
	struct ended ended;

	if (told_is(dir) != 0 || ended_load(&ended, dir, SPOOL_ERROR, name) < 0)
		return;
	if (ended_tell(spool, &ended, dir) > 0)
		log_warning("the journal may not have it: told again, see error/%s", name);
	ended_free(&ended);
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
