/*
 * stage: the directories of a spool. The table is spool-layout/directories, in the order of an
 * image's way; whoever goes through stages goes through it.
 */
#ifndef SPOOL_STAGE_H
#define SPOOL_STAGE_H

#include <stdbool.h>

#include "spool_stages.h" /* enum spool_dir: SPOOL_ROOT, SPOOL_RECEIVING ... SPOOL_DIRS */

enum stage_holds {
	STAGE_NOTHING,
	STAGE_ASSOCIATIONS, /* <association>/ */
	STAGE_BATCHES,      /* <series>/, and what was dropped by hand */
	STAGE_JOBS,         /* <job>/ */
	STAGE_QUEUES,       /* <target>/<job>/ */
	STAGE_ENDED,        /* <job>/ or <job>.<target>/: at rest */
	STAGE_LINES         /* files of lines */
};

struct stage {
	const char *name; /* of the directory: "incoming"; "." for the spool itself */
	enum stage_holds holds;
	bool before_queue; /* what lies there is on its way: order within a study waits for it */
	bool expires;      /* the cleaner deletes what has lain there for the retention */
	const char *claimed_by; /* the program that takes it on; NULL: a person */
};

extern const struct stage spool_stage[SPOOL_DIRS];

/* The next stage behind this one that holds such things; SPOOL_DIRS: there is none. Starts with
 * SPOOL_ROOT, which holds nothing. */
enum spool_dir stage_next(enum spool_dir after, enum stage_holds holds);

#endif
