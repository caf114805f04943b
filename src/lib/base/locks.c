#define _GNU_SOURCE /* fopen "e" */
#include "base/locks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct lock {
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
	unsigned long inode;
	long pid;

	*out = (struct locks){ 0 };
	/* "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; who waits for one has "->" first */
	while (result == 0 && getline(&line, &size, in) >= 0)
		if (sscanf(line, "%*d: %*[A-Z] %*s %*s %ld %*x:%*x:%lu", &pid, &inode) == 2)
			result = add(out, (struct lock){ (ino_t)inode, (pid_t)pid });
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

bool locks_has(const struct locks *locks, ino_t inode, pid_t pid)
{
	for (size_t i = 0; i < locks->count; i++)
		if (locks->one[i].inode == inode && (!pid || locks->one[i].pid == pid))
			return true;
	return false;
}
