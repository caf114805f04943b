#include "tree.h"

#include "base/disk.h"
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int close_with(int fd, int result)
{
	int saved = errno;

	(void)close(fd); /* a directory */
	errno = saved;
	return result;
}

static int is_directory(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return S_ISDIR(st.st_mode) ? 1 : 0;
}

/* Calls visit for each name in dir; ends at the first -1. */
static int each(int dir, int (*visit)(int dir, const char *name, int other), int other)
{
	struct disk_names names;
	int result = 0, saved;

	if (disk_list(dir, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count && result == 0; i++)
		result = visit(dir, names.name[i], other);
	saved = errno;
	disk_names_free(&names);
	errno = saved;
	return result;
}

static int sync_entry(int dir, const char *name, int unused)
{
	int kind = is_directory(dir, name);

	(void)unused;
	return kind <= 0 ? kind : tree_sync(dir, name);
}

int tree_sync(int dir, const char *name)
{
	int fd = disk_open_dir(dir, name), result;

	if (fd < 0)
		return -1;
	result = each(fd, sync_entry, -1);
	if (result == 0)
		result = fsync(fd);
	return close_with(fd, result);
}

/* Both directories exist. */
static int merge(int from, const char *name, int to)
{
	int source = disk_open_dir(from, name), target, result;

	if (source < 0)
		return -1;
	target = disk_open_dir(to, name);
	if (target < 0) /* a file or a link: stays behind */
		return close_with(source, errno == ENOTDIR || errno == ELOOP ? 0 : -1);
	result = tree_publish(source, target);
	(void)close_with(target, 0);
	(void)close_with(source, 0);
	if (result == 0)
		(void)unlinkat(from, name, AT_REMOVEDIR); /* not empty when something stayed */
	return result;
}

static int publish_entry(int from, const char *name, int to)
{
	int kind;

	if (place_rename(from, name, to, name) == 0)
		return 0;
	if (errno != EEXIST && errno != ENOTEMPTY)
		return -1;
	kind = is_directory(from, name);
	if (kind < 0)
		return -1;
	return kind ? merge(from, name, to) : place_beside(from, name, to);
}

int tree_publish(int from, int to)
{
	if (each(from, publish_entry, to) < 0)
		return -1;
	return fsync(to);
}

static int remove_entry(int dir, const char *name, int unused)
{
	int fd, result;

	(void)unused;
	if (disk_unlink(dir, name) == 0)
		return 0;
	if (errno != EISDIR)
		return -1;
	fd = disk_open_dir(dir, name);
	if (fd < 0)
		return -1;
	result = close_with(fd, tree_clear(fd));
	return result < 0 ? -1 : unlinkat(dir, name, AT_REMOVEDIR);
}

int tree_clear(int dir)
{
	return each(dir, remove_entry, -1);
}
