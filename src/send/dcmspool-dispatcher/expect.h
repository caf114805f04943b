/*
 * expect: entries that wait for images to send ahead, A1 of STATES.md 5a. Their batches are watched
 * while nothing but images is missing.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <stdbool.h>

#include "base/disk.h"
#include "spool/early.h"

struct conf_target;
struct dispatcher;
struct queue;

/* An entry that had nothing to send, and how its batch's `filed` was then. */
struct expect_idle {
	char entry[EARLY_NAME_SIZE];
	const struct conf_target *target;
	char *batch;
	struct stat filed;
	bool seen; /* in this scan */
};
struct expect {
	struct expect_idle *idle;
	size_t idle_count;
	struct disk_names awaited; /* batches of entries that were looked at in this scan */
	struct disk_names watched;
};

/* Has the entry an image that may be sent? One whose job will never come here is removed. The queue
 * is locked. */
bool expect_more(struct dispatcher *dispatcher, const struct queue *queue, const char *entry);

/* A scan begins: watches what the last one awaited. -1 with errno. */
int expect_watch(struct expect *expect);
/* It has ended: is something awaited that was not watched when it was looked at? */
bool expect_missed(const struct expect *expect);

#endif
