/*
 * locks: who has which files locked, as the kernel tells everybody in /proc/locks. Whoever only
 * looks takes no lock for that, not even for a moment: another would find it taken.
 */
#ifndef LOCKS_H
#define LOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct locks {
	struct lock *one;
	size_t count;
};

/* -1 with errno. locks_free() frees. */
int locks_read(struct locks *out);
void locks_free(struct locks *locks);

/* Has that process (0: any) a lock on the file? */
bool locks_has(const struct locks *locks, const struct stat *file, pid_t pid);

#endif
