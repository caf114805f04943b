#define _GNU_SOURCE /* fopen "e", makedev */
#include "base/locks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

struct lock {
	dev_t device;
	ino_t inode;
	pid_t pid;
};

static int add(struct locks *locks, struct lock lock)
{
	struct lock *more = locks->one;

	if ((locks->count & (locks->count - 1)) == 0) /* full at each power of two */
		more = realloc(more, (locks->count ? 2 * locks->count : 1) * sizeof(*more));
	if (!more)
		return -1;
	locks->one = more;
	more[locks->count++] = lock;
	return 0;
}

int locks_read(struct locks *out)
{
	FILE *in = fopen("/proc/locks", "re");
	char *line = NULL;
	size_t size = 0;
	int result = in ? 0 : -1, saved;
	unsigned int of, nth;
	unsigned long inode;
	long pid;

	*out = (struct locks){ 0 };
	/* "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; who waits for one has "->" first */
	while (result == 0 && getline(&line, &size, in) >= 0)
		if (sscanf(line, "%*d: %*[A-Z] %*s %*s %ld %x:%x:%lu", &pid, &of, &nth, &inode) ==
			4)
			result = add(
				out, (struct lock){ makedev(of, nth), (ino_t)inode, (pid_t)pid });
	saved = errno;
	if (in)
		(void)fclose(in); /* only read */
	free(line);
	errno = saved;
	return result;
}

void locks_free(struct locks *locks)
{
	free(locks->one);
	*locks = (struct locks){ 0 };
}

/* A file system without a device of its own (major 0) may have another number in stat(2): btrfs has
 * one for each subvolume. */
static bool is_of(const struct lock *lock, const struct stat *file)
{
	return lock->inode == file->st_ino &&
	       (lock->device == file->st_dev ||
		       (major(lock->device) == 0 && major(file->st_dev) == 0));
}

bool locks_has(const struct locks *locks, const struct stat *file, pid_t pid)
{
	for (size_t i = 0; i < locks->count; i++)
		if (is_of(&locks->one[i], file) && (!pid || locks->one[i].pid == pid))
			return true;
	return false;
}
