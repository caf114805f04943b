/*
 * arriving: a series that is still being received, and which of its images may be sent ahead
 * (STATES.md 5a): those that are believed and that the entry's ledger has nothing of. A batch that
 * grows is followed by the lines of its `filed`: what was read is not read again.
 */
#ifndef ARRIVING_H
#define ARRIVING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/disk.h"
#include "spool/filed.h"

struct conf_target;
struct spool;

struct arriving_image {
	char *name;
	off_t size;
};
struct arriving {
	char *name; /* in incoming/, where it may have another by now */
	int dir;    /* it is the same wherever it goes */
	struct filed_tail filed;
	struct disk_names done;         /* nothing more is to be sent ahead of these; sorted */
	struct arriving_image *pending; /* filed, or about to be; not sent */
	size_t count;
};

/* What an entry (its name, and its directory) speaks of. */
enum arriving_is {
	ARRIVING_THERE,     /* batch is open */
	ARRIVING_UNDECIDED, /* it is there, but ahead.json is about to come; only name is set */
	ARRIVING_GONE,      /* it has become a job, or went elsewhere, or the entry is damaged */
	ARRIVING_UNKNOWN    /* with errno: it cannot be known now */
};
/* arriving_close() in any case. */
enum arriving_is arriving_open(struct arriving *batch, const struct spool *spool,
	const struct conf_target *target, const char *entry, int dir);
void arriving_close(struct arriving *batch);

/* The names of the images that may be sent now, sorted; they are no longer pending. -1 with errno.
 */
int arriving_take(struct arriving *batch, struct disk_names *names);
/* Is there one? */
bool arriving_has(struct arriving *batch);
/* What has become of one that was taken: it is done, or is to be sent all the same. -1 without
 * memory. */
int arriving_done(struct arriving *batch, const char *name);
int arriving_again(struct arriving *batch, const char *name);

#endif
