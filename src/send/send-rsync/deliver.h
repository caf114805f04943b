/*
 * deliver: the images of one directory, sent, looked at again, and answered.
 */
#ifndef DELIVER_H
#define DELIVER_H

#include "sender/marker.h"
#include "sender/sender.h"
#include "rsync.h"

struct item {
	size_t index; /* of the image */
	char *directory;
};

struct job {
	struct sender sender;
	struct destination destination;
	struct rsync rsync;
	struct sender_marker *marker;
	struct item *item; /* sorted by directory */
	size_t count;
};

/* Sends count images that go to the same directory, and answers them. Returns -1 when the target
 * failed, which has been told then. */
int deliver(struct job *job, const struct item *item, size_t count);

/* Tells that the target failed, with the last thing that rsync said; status as rsync_run() returns
 * it. */
void deliver_failed(struct job *job, int status);

/* Tells that an image failed. */
void deliver_refused(struct job *job, size_t index, const char *text);

#endif
