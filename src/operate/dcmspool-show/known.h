/*
 * known: all that is known of one series, gathered before it is told: its lines in the journal, and
 * for each place what it waits for, the target's answers, and why it lies in error/.
 */
#ifndef KNOWN_H
#define KNOWN_H

#include <jansson.h>

#include "base/disk.h"
#include "conf/conf.h"
#include "spool/walk.h"

struct known_place {
	const struct place *place;
	struct disk_names waits; /* reasons, in words */
	json_t *answers;         /* of {time, target, result, status, image, try, text} */
	char *reason;            /* reason.txt; NULL: there is none */
	size_t images;           /* that lie there */
};

struct known {
	struct item *item;
	struct known_place *place; /* item->count of them */
	json_t *journal;           /* lines, in their order */
};

/* Of each item of found. walk: the whole tree. Dies without memory; what cannot be read is told,
 * and missing, and walk->incomplete. Returns an array of found->count, for known_free(). */
struct known *known_gather(
	const struct conf *conf, const struct spool *spool, struct walk *walk, struct walk *found);
void known_free(struct known *known, size_t count);

#endif
