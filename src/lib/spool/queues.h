/*
 * queues: jobs in outgoing/<target>/ and sending/<target>/, as an operator names them. What is
 * found is a hint: dispatchers move jobs meanwhile. Locks as in STATES.md 2.
 */
#ifndef QUEUES_H
#define QUEUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/disk.h"
#include "spool/spool.h"

/* name_ok() has at most 200 characters. */
enum { QUEUES_NAME_SIZE = 256 };

/* A job of one target, or what an operator called so: then target may be "", and name
 * "<job>.<target>". */
struct queued {
	char name[QUEUES_NAME_SIZE];
	char target[QUEUES_NAME_SIZE];
};
struct queued_list {
	struct queued *item;
	size_t count;
};

/* Takes an operand apart: a name, or a path to a job in the spool, also one that has moved on
 * since. To be called before spool_open() changes the directory. Returns 0, or -1 after having said
 * what is wrong. */
int queues_operand(const char *spool, const char *text, struct queued *out);

/* The places in outgoing/ and sending/ of the jobs that were meant: by their names, also without
 * the priority behind it. -1 with errno. queues_free() frees. */
int queues_find(const struct spool *spool, const struct queued *meant, struct queued_list *out);
void queues_free(struct queued_list *list);

/* The paths at which the job is in the rest of the spool, as the spool knows them:
 * "success/<job>.<target>". -1 with errno. */
int queues_elsewhere(
	const struct spool *spool, const struct queued *meant, struct disk_names *paths);

/* How long somebody who has a lock, or is to do something, is waited for. */
struct patience {
	int left_ms;
};
/* Waits a moment; false when patience is at its end. */
bool queues_wait(struct patience *patience);

/* disk_lock_dir(dir, name, LOCK_EX) that waits for others with patience: then EWOULDBLOCK. */
int queues_lock(int dir, const char *name, struct patience *patience);

/* Makes the dispatchers look at a target's queue, by the events that outgoing/<target>/.new.retry
 * makes when it comes and goes. -1 with errno. */
int queues_wake(const struct spool *spool, const char *target);

#endif
