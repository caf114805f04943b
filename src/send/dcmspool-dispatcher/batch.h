/*
 * batch: a series that is still being received, and which of its images may be sent ahead
 * (STATES.md 5a): those that are believed and that the entry's ledger has nothing of. A batch that
 * grows is followed by the lines of its `filed`: what was read is not read again.
 */
#ifndef BATCH_H
#define BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/disk.h"
#include "spool/filed.h"

struct conf_target;
struct spool;

struct batch_image {
	char *name;
	off_t size;
};
struct batch {
	char *name; /* in incoming/, where it may have another by now */
	int dir;    /* it is the same wherever it goes */
	struct filed_tail filed;
	struct disk_names done;      /* nothing more is to be sent ahead of these; sorted */
	struct batch_image *pending; /* filed, or about to be; not sent */
	size_t count;
};

/* What an entry (its name, and its directory) speaks of. */
enum batch_is {
	BATCH_THERE,     /* batch is open */
	BATCH_UNDECIDED, /* it is there, but ahead.json is about to come; only name is set */
	BATCH_GONE,      /* it has become a job, or went elsewhere, or the entry is damaged */
	BATCH_UNKNOWN    /* with errno: it cannot be known now */
};
/* batch_close() in any case. */
enum batch_is batch_open(struct batch *batch, const struct spool *spool,
	const struct conf_target *target, const char *entry, int dir);
void batch_close(struct batch *batch);

/* The names of the images that may be sent now, sorted; they are no longer pending. -1 with errno.
 */
int batch_take(struct batch *batch, struct disk_names *names);
/* Is there one? */
bool batch_has(struct batch *batch);
/* What has become of one that was taken: it is done, or is to be sent all the same. -1 without
 * memory. */
int batch_done(struct batch *batch, const char *name);
int batch_again(struct batch *batch, const char *name);

#endif
