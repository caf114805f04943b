#include "resend.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"
#include "spool/journal.h"

enum { NAME_SIZE = 300 };

static int move(const struct verb *verb, const struct item *item, const struct place *place,
	struct await *await)
{
	const struct spool *spool = &verb->spool;
	char made[NAME_SIZE];

	if (disk_rename_unique(spool->dir[place->stage], place->name, spool->dir[SPOOL_INCOMING],
		    place->name, made, sizeof(made)) < 0) {
		if (errno == ENOENT)
			log_error("%s/%s is there no longer: somebody else has moved it; "
				  "see: dcmspool find %s",
				spool_name(place->stage), place->name, item->name);
		else
			log_error("unable to move %s/%s to incoming/: %s; it stays where it is",
				spool_name(place->stage), place->name, strerror(errno));
		return errno == ENOENT ? 1 : EXIT_TEMPORARY;
	}
	await_add_moved(await, place->name);
	journal_write(spool, "resend-asked", "job", place->name, "target", place->target, "by",
		verb->by, NULL);
	(void)printf("%s: is routed again, by the rules of now\n", place->name);
	return 0;
}

int resend_back(const struct verb *verb, const struct item *item, struct await *await)
{
	int code = 0, result;

	/* At once, one after the other: the router takes those of one series together. */
	for (size_t i = 0; i < item->count; i++) {
		if (!item->place[i].meant)
			continue;
		result = move(verb, item, &item->place[i], await);
		code = result > code ? result : code;
	}
	if (fsync(verb->spool.dir[SPOOL_INCOMING]) < 0)
		log_warning("unable to sync incoming/: %s; after a power failure it may be where "
			    "it was",
			strerror(errno));
	return code;
}
