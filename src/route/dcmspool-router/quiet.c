/*
 * Is something that came by hand still being written? A file that somebody has open for writing is;
 * so is, for a while, whatever has changed just now.
 */
#define _GNU_SOURCE /* F_SETLEASE */
#include "router.h"

#include "base/clock.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

enum { DIRECTORIES_MAX = 100000 };

/* A lease is the kernel's answer (fcntl(2)). */
int quiet_is_written(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), result = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ? 0 : -1;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		(void)fcntl(fd, F_SETLEASE, F_UNLCK); /* close would do it as well */
	else
		result = errno == EAGAIN ? 1 : -1;
	(void)close(fd); /* only read */
	if (result < 0)
		errno = EACCES; /* of another user; or the file system knows no leases */
	return result;
}

/* Of what nobody tells whether it is being written: quiet for as long as a series may be. */
static int64_t untold_due(const struct router *router, const struct stat *st)
{
	return clock_ctime_us(st) + router->conf->router.series_timeout_ms * 1000;
}

int64_t quiet_file_due(
	const struct router *router, int dir, const char *name, const struct stat *st)
{
	int64_t grace_us = router->conf->router.association_grace_ms * 1000;
	int written = S_ISREG(st->st_mode) ? quiet_is_written(dir, name) : 0;

	if (written < 0 && errno != EACCES)
		return -1;
	if (written == 1)
		return clock_now_us() + (grace_us > WRITING_US ? grace_us : WRITING_US);
	if (clock_ctime_us(st) > clock_now_us() + WRITING_US)
		return 0; /* the clock was set back: nobody knows, and waiting helps nobody */
	return written == 0 ? clock_ctime_us(st) + grace_us : untold_due(router, st);
}

/* What lies in the open directory path; its directories go on the list. */
static int64_t entries_due(
	const struct router *router, int dir, const char *path, struct disk_names *list)
{
	int64_t due_us = 0, one_us;
	struct disk_names names;
	struct stat st;

	if (disk_list(dir, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		struct buf below = { 0 };

		if (fstatat(dir, names.name[i], &st, AT_SYMLINK_NOFOLLOW) < 0) {
			if (errno == ENOENT)
				continue;
			due_us = -1;
			break;
		}
		one_us = quiet_file_due(router, dir, names.name[i], &st);
		if (one_us < 0) {
			due_us = -1;
			break;
		}
		if (S_ISDIR(st.st_mode) && list->count < DIRECTORIES_MAX) {
			buf_printf(&below, "%s/%s", path, names.name[i]);
			if (below.failed || below.length >= PATH_MAX)
				one_us = untold_due(router, &st); /* too deep to be looked into */
			else
				(void)disk_names_add(list, below.data); /* else read unasked */
			buf_free(&below);
		}
		due_us = one_us > due_us ? one_us : due_us;
	}
	disk_names_free(&names);
	return due_us;
}

static int64_t dir_due(
	const struct router *router, int base, const char *path, struct disk_names *list)
{
	int dir = disk_open_dir(base, path), saved;
	int64_t due_us;

	/* Not ours to read, or another thing already: whoever takes it tells. */
	if (dir < 0)
		return errno == EACCES || errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			       ? 0
			       : -1;
	due_us = entries_due(router, dir, path, list);
	saved = errno;
	(void)close(dir); /* only read */
	errno = saved;
	return due_us;
}

int64_t quiet_due(const struct router *router, const char *name)
{
	int incoming = router->spool.dir[SPOOL_INCOMING];
	struct disk_names list = { 0 };
	int64_t due_us, one_us;
	struct stat st;

	if (fstatat(incoming, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	due_us = quiet_file_due(router, incoming, name, &st);
	if (S_ISDIR(st.st_mode) && disk_names_add(&list, name) < 0)
		due_us = -1;
	for (size_t i = 0; i < list.count && due_us >= 0; i++) {
		one_us = dir_due(router, incoming, list.name[i], &list);
		due_us = one_us < 0 || one_us > due_us ? one_us : due_us;
	}
	disk_names_free(&list);
	return due_us;
}
