#define _GNU_SOURCE /* renameat2 */
#include "base/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DIR_MODE = 0770, FILE_MODE = 0660, BLOCK = 1 << 16 };

int disk_open_dir(int dir, const char *name)
{
	return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void disk_let_write(int dir)
{
	struct stat st;

	if (fstat(dir, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & S_IRWXU) != S_IRWXU)
		(void)fchmod(dir, (st.st_mode & 07777) | S_IRWXU); /* else the next step says why */
}

int disk_make_dir(int dir, const char *name)
{
	if (mkdirat(dir, name, DIR_MODE) == 0 || errno == EEXIST)
		return 0;
	return -1;
}

bool disk_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int disk_close(int fd, int result)
{
	int saved = errno;

	if (close(fd) < 0 && result == 0)
		return -1;
	errno = saved;
	return result;
}

int disk_lock_dir(int dir, const char *name, int operation)
{
	struct stat locked, named;
	int fd = disk_open_dir(dir, name);

	if (fd < 0)
		return -1;
	if (flock(fd, operation) < 0 || fstat(fd, &locked) < 0 ||
		fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return disk_close(fd, -1);
	if (!disk_same_file(&locked, &named)) {
		errno = ENOENT;
		return disk_close(fd, -1);
	}
	return fd;
}

int disk_write_all(int fd, const void *bytes, size_t length)
{
	const char *data = bytes;

	while (length > 0) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

static bool sync_later;

void disk_sync_later(bool later)
{
	sync_later = later;
}

int disk_sync(int fd)
{
	return sync_later ? 0 : fsync(fd);
}

int disk_write_file(int dir, const char *name, const void *data, size_t length)
{
	char temporary[256];
	int fd, n;

	n = snprintf(temporary, sizeof(temporary), ".new.%s", name);
	if (n < 0 || (size_t)n >= sizeof(temporary)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* A leftover of a crash: we hold the lock, so nobody is writing it. */
	if (disk_unlink(dir, temporary) < 0)
		return -1;
	fd = openat(
		dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return -1;
	if (disk_write_all(fd, data, length) < 0 || disk_sync(fd) < 0)
		return disk_close(fd, -1);
	if (close(fd) < 0 || renameat(dir, temporary, dir, name) < 0)
		return -1;
	return disk_sync(dir);
}

char *disk_read_file(int dir, const char *name, size_t max, size_t *length)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	char *data = NULL;
	struct stat st;
	size_t n = 0;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		goto fail;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		goto fail;
	}
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		goto fail;
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, data + n, (size_t)st.st_size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			goto fail;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	(void)close(fd); /* only read */
	data[n] = '\0';
	if (length)
		*length = n;
	return data;
fail:
	(void)disk_close(fd, -1);
	free(data);
	return NULL;
}

/* pread(2) until the block is full or the file ends. */
static ssize_t read_block(int fd, char *block, off_t at)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < BLOCK && (n = pread(fd, block + done, BLOCK - done, at + (off_t)done)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int disk_copy(int from, off_t at, int to)
{
	static char block[BLOCK];
	ssize_t n;

	while ((n = read_block(from, block, at)) > 0) {
		if (disk_write_all(to, block, (size_t)n) < 0)
			return DISK_WRITE;
		at += n;
	}
	return n < 0 ? DISK_READ : 0;
}

int disk_same_bytes(int a, off_t at_a, int b, off_t at_b)
{
	static char left[BLOCK], right[BLOCK];
	ssize_t n, m;

	do {
		n = read_block(a, left, at_a);
		m = read_block(b, right, at_b);
		if (n < 0 || m < 0)
			return -1;
		if (n != m || memcmp(left, right, (size_t)n) != 0)
			return 0;
		at_a += n;
		at_b += n;
	} while (n > 0);
	return 1;
}

/* What a full disk cut off must not swallow the next line: 1 when the file ends in the middle of
 * one. */
static int ends_within_line(int fd)
{
	struct stat st;
	char last = '\n';

	if (fstat(fd, &st) < 0 || (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) < 0))
		return -1;
	return last != '\n';
}

int disk_append(int dir, const char *name, const void *data, size_t length)
{
	int fd = openat(dir, name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	struct iovec part[] = { { .iov_base = (char[]){ '\n' }, .iov_len = 0 },
		{ .iov_base = (void *)data, .iov_len = length } };
	int within;
	ssize_t n;

	if (fd < 0)
		return -1;
	within = ends_within_line(fd);
	if (within < 0)
		return disk_close(fd, -1);
	part[0].iov_len = (size_t)within;
	do
		n = writev(fd, part, 2);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n < length + part[0].iov_len) {
		errno = ENOSPC;
		n = -1;
	}
	return disk_close(fd, n < 0 ? -1 : 0);
}

int disk_rename(int from_dir, const char *from, int to_dir, const char *to)
{
	return renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE);
}

int disk_rename_unique(
	int from_dir, const char *from, int to_dir, const char *name, char *made, size_t size)
{
	char unique[256];

	for (int i = 1; i < 100000; i++) {
		int n = i == 1 ? snprintf(unique, sizeof(unique), "%s", name)
			       : snprintf(unique, sizeof(unique), "%s~%d", name, i);

		if (n < 0 || (size_t)n >= sizeof(unique)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		if (disk_rename(from_dir, from, to_dir, unique) == 0) {
			if (made)
				(void)snprintf(made, size, "%s", unique);
			return 0;
		}
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

int disk_unlink(int dir, const char *name)
{
	return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? 0 : -1;
}

int disk_exists(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int disk_names_add(struct disk_names *names, const char *name)
{
	if ((names->count & (names->count - 1)) == 0) { /* full at each power of two */
		size_t capacity = names->count ? names->count * 2 : 1;
		char **more = realloc(names->name, capacity * sizeof(*more));

		if (!more)
			return -1;
		names->name = more;
	}
	names->name[names->count] = strdup(name);
	if (!names->name[names->count])
		return -1;
	names->count++;
	return 0;
}

int disk_list(int dir, const char *name, struct disk_names *out)
{
	int fd = disk_open_dir(dir, name);
	struct dirent *entry;
	int saved;
	DIR *d;

	*out = (struct disk_names){ 0 };
	if (fd < 0)
		return -1;
	d = fdopendir(fd);
	if (!d)
		return disk_close(fd, -1);
	while (errno = 0, (entry = readdir(d))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (disk_names_add(out, entry->d_name) < 0)
			break;
	}
	saved = errno;
	(void)closedir(d); /* only read */
	if (saved) {
		disk_names_free(out);
		errno = saved;
		return -1;
	}
	if (out->count > 1)
		qsort(out->name, out->count, sizeof(*out->name), by_name);
	return 0;
}

void disk_names_free(struct disk_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct disk_names){ 0 };
}

int64_t disk_free_bytes(int dir)
{
	struct statvfs fs;

	if (fstatvfs(dir, &fs) < 0)
		return -1;
	return (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
}
