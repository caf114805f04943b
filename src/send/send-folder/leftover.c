#include "leftover.h"

#include "base/disk.h"
#include "base/log.h"
#include "base/str.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { NOBODYS_S = 24 * 3600 };

static bool is_staging(const char *name)
{
	size_t length = strlen(LEFTOVER_PREFIX);

	return strncmp(name, LEFTOVER_PREFIX, length) == 0 && name_ok(name + length);
}

/* Opens it, locked where that is possible. -1: it is somebody's, or gone. */
static int take(int folder, const char *name, time_t now)
{
	int dir = disk_open_dir(folder, name);
	struct stat st;

	if (dir < 0)
		return -1;
	if (fstat(dir, &st) == 0 && st.st_mtime + NOBODYS_S < now &&
		(flock(dir, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK))
		return dir;
	(void)close(dir); /* a directory */
	return -1;
}

static void remove_one(int folder, const char *name, time_t now)
{
	int dir = take(folder, name, now);

	if (dir < 0)
		return;
	if (tree_clear(dir) == 0 && unlinkat(folder, name, AT_REMOVEDIR) == 0)
		log_info("removed %s, which a killed run has left in the folder", name);
	else
		log_warning("unable to remove %s from the folder: %s", name, strerror(errno));
	(void)close(dir); /* a directory */
}

void leftover_remove(int folder, int ours)
{
	struct disk_names names = { 0 };
	struct stat st;

	if (fstat(ours, &st) < 0 || disk_list(folder, ".", &names) < 0)
		return; /* a later run looks again */
	for (size_t i = 0; i < names.count; i++)
		if (is_staging(names.name[i]))
			remove_one(folder, names.name[i], st.st_mtime);
	disk_names_free(&names);
}
