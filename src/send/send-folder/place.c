#define _GNU_SOURCE /* strsep */
#include "place.h"

#include "base/disk.h"
#include "dicom/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_NUMBER = 999 };

static int open_file(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

/* Compares two open files. 1: the same bytes; 0: not; -1: errno. */
static int compare(int a, int b)
{
	struct stat sa, sb;

	if (fstat(a, &sa) < 0 || fstat(b, &sb) < 0)
		return -1;
	if (disk_same_file(&sa, &sb))
		return 1;
	if (!S_ISREG(sa.st_mode) || !S_ISREG(sb.st_mode) || sa.st_size != sb.st_size)
		return 0;
	return disk_same_bytes(a, 0, b, 0);
}

/* The same for names; what is no regular file is not the same. */
static int same_bytes(int dir_a, const char *a, int dir_b, const char *b)
{
	int fd_a = open_file(dir_a, a), fd_b = -1, result = -1, saved;

	if (fd_a < 0)
		return -1;
	fd_b = open_file(dir_b, b);
	if (fd_b >= 0)
		result = compare(fd_a, fd_b);
	else if (errno == ELOOP || errno == ENXIO || errno == EACCES)
		result = 0; /* a link, a socket, or somebody else's */
	saved = errno;
	(void)close(fd_a); /* only read */
	if (fd_b >= 0)
		(void)close(fd_b);
	errno = saved;
	return result;
}

static enum place_result copy_bytes(int in, int out)
{
	int copied = disk_copy(in, 0, out);

	if (copied == DISK_READ)
		return PLACE_SOURCE;
	return copied == DISK_WRITE || fsync(out) < 0 ? PLACE_TARGET : PLACE_OK;
}

/* Makes to/name from the bytes of from_dir/from_name. A copy that failed is taken away again. */
static enum place_result copy_file(int from_dir, const char *from_name, int to, const char *name)
{
	enum place_result result = PLACE_TARGET;
	int in = open_file(from_dir, from_name), out, saved;

	if (in < 0)
		return PLACE_SOURCE;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
	if (out >= 0) {
		result = copy_bytes(in, out);
		if (close(out) < 0 && result == PLACE_OK)
			result = PLACE_TARGET;
		saved = errno;
		if (result != PLACE_OK)
			(void)disk_unlink(to, name); /* the first error is the one to report */
		errno = saved;
	}
	saved = errno;
	(void)close(in); /* only read */
	errno = saved;
	return result;
}

/* One attempt under one name. PLACE_TARGET with EEXIST: taken. */
static enum place_result place_as(
	int from_dir, const char *from_name, int to, const char *name, bool *copy)
{
	if (!*copy) {
		if (linkat(from_dir, from_name, to, name, 0) == 0)
			return PLACE_OK;
		if (errno == EEXIST || errno == ENOSPC || errno == EDQUOT || errno == EROFS)
			return PLACE_TARGET;
		if (errno == ENOENT)
			return PLACE_SOURCE;
		/* EXDEV, EPERM (file system without links, or fs.protected_hardlinks), EMLINK... */
		*copy = true;
	}
	return copy_file(from_dir, from_name, to, name);
}

enum place_result place_file(
	int from_dir, const char *from_name, int to, const char *name, bool *copy, char **placed)
{
	enum place_result result;

	for (unsigned n = 1; n <= MAX_NUMBER; n++) {
		*placed = layout_numbered(name, n);
		if (!*placed)
			return PLACE_TARGET;
		result = place_as(from_dir, from_name, to, *placed, copy);
		if (result != PLACE_TARGET || errno != EEXIST)
			return result;
		switch (same_bytes(from_dir, from_name, to, *placed)) {
		case 1:
			return PLACE_OK;
		case -1:
			return PLACE_SOURCE;
		}
		free(*placed);
		*placed = NULL;
	}
	errno = EEXIST;
	return PLACE_SOURCE;
}

int place_beside(int dir, const char *name, int to)
{
	for (unsigned n = 1; n <= MAX_NUMBER; n++) {
		char *candidate = layout_numbered(name, n);
		int moved, same = 0;

		if (!candidate)
			return -1;
		moved = place_rename(dir, name, to, candidate);
		if (moved < 0 && errno == EEXIST) {
			same = same_bytes(dir, name, to, candidate);
			moved = same < 0 ? -1 : same ? disk_unlink(dir, name) : 1;
		}
		free(candidate);
		if (moved <= 0)
			return moved;
	}
	errno = EEXIST;
	return -1;
}

/* Opens a directory below dir, following no link. */
static int open_below(int dir, const char *path)
{
	int fd = disk_open_dir(dir, "."), next;
	char *name, *all = strdup(path), *rest = all;

	while (all && fd >= 0 && (name = strsep(&rest, "/")) && *name) {
		next = disk_open_dir(fd, name);
		(void)close(fd); /* a directory */
		fd = next;
	}
	free(all);
	return fd;
}

int place_marker(int dir, const char *path, const char *name)
{
	int at = open_below(dir, path), fd = -1, result = -1, saved;

	if (at >= 0)
		fd = openat(
			at, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0660);
	if (fd >= 0 && futimens(fd, NULL) == 0 && fsync(fd) == 0)
		result = fsync(at);
	saved = errno;
	if (fd >= 0)
		(void)close(fd); /* synced */
	if (at >= 0)
		(void)close(at); /* a directory */
	errno = saved;
	return result;
}

int place_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;

	if (disk_rename(from_dir, from, to_dir, to) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* NFS and others have no RENAME_NOREPLACE: a link refuses a taken name as well. */
	if (linkat(from_dir, from, to_dir, to, 0) == 0)
		return disk_unlink(from_dir, from);
	if (errno == EEXIST)
		return -1;
	/* A directory, or no links either. rename(2) replaces only an empty directory. */
	if (fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return errno == ENOENT ? renameat(from_dir, from, to_dir, to) : -1;
}
