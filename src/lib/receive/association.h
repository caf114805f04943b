/*
 * association: one connection, as its directory in receiving/ stands for it.
 *
 * The directory's flock(2) is held by this process, storescp and getdcmtags together (they inherit
 * the descriptor): it is free only when all three are dead, and then the association is recovered.
 * What is in it: spool/assoc.h.
 */
#ifndef ASSOCIATION_H
#define ASSOCIATION_H

#include "dicom/network/caller.h"
#include "conf/conf.h"
#include "spool/assoc.h"
#include "spool/spool.h"
#include "standin.h"

struct association {
	const struct conf *conf;
	const struct spool *spool;
	const struct caller *caller;       /* NULL in a recovery */
	const struct conf_sender *sender;  /* the caller's section; NULL: none */
	const struct stand_ins *stand_ins; /* none in a recovery */
	char name[ASSOC_NAME_SIZE];        /* "<stamp>.<pid>"; the router makes others for things
						    dropped by hand */
	int dir;                           /* locked */
};

/* Takes apart what an association leaves: its markers in incoming/; then our own files and the
 * directory. Both return 0, or -1 after having logged why, for the next recovery: images remain,
 * say. */
int association_settle(const struct association *a);
int association_remove(const struct association *a);

#endif
