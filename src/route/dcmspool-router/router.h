/*
 * router: what the files of this program share. The way of a series, one file each:
 *
 *   scan.c    looks at incoming/: which batches are complete, when is the next one due
 *   claim.c   incoming/<x> becomes routing/<job>
 *   route.c   brings a job in routing/ to its end, whatever state it was left in
 *   plan.c    the rules decide: plan.json
 *   fanout.c  the plan is carried out: outgoing/, discard/
 *   drop.c    things dropped by hand become receiving/<a>/, which is read like an association
 */
#ifndef ROUTER_H
#define ROUTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "base/disk.h"
#include "spool/spool.h"

enum { READERS_MAX = 4 };
enum { RETRY_US = 30000000 }; /* after a failure of ours: a full disk, most likely */

/* What could not be taken from incoming/: left alone for a while, because each try removes a
 * directory in receiving/, and that wakes us. */
enum { RESTING_MAX = 64 };
struct resting {
	char name[256];
	int64_t until_us;
};

struct router {
	const struct conf *conf;
	struct spool spool;
	char *association; /* path of dcmspool-association */
	size_t readers;    /* processes of ours that read what was dropped */
	bool recovered_once;
	int64_t recover_us; /* when to look for dead directories in receiving/; 0: no need */
	struct resting resting[RESTING_MAX];
	size_t resting_next; /* the place that is used next; while it is taken, all drops wait */
};

/* Looks at the whole spool once and does all that is due. Returns when the next batch is due
 * (microseconds since 1970), or 0 when nothing waits. */
int64_t scan(struct router *router);

/* Finishes what lies in routing/ with a free lock. -1 when something stays there. */
int scan_routing(struct router *router);

/* A batch that may be claimed: its directory, locked by us. */
struct claim {
	int dir;
	char job[128]; /* its name in routing/ */
};

/* Turns incoming/name, locked by us as dir, into routing/<job>. Takes over dir on success. Returns
 * -1 with errno; the batch is where it was. */
int claim_batch(struct router *router, int dir, const char *name, struct claim *claim);

/* From J1, J2 or J3 to the end; closes claim->dir. -1 after a failure, which is logged: the job
 * stays in routing/ and is tried again by the next scan. */
int route(struct router *router, struct claim *claim);

/* Decides by the rules and writes plan.json. The caller decrefs; NULL on failure. */
json_t *plan_make(struct router *router, const struct claim *claim);

/* Tells journal and log which rules failed, unless the plan says that they know. */
void plan_tell(struct router *router, const struct claim *claim, json_t *plan);

/* Carries plan.json out. Returns 0 when routing/<job> is gone, -1 with errno. */
int fanout(struct router *router, const struct claim *claim, json_t *plan);

/* Moves incoming/name to a new receiving/<a>/ and starts reading it. -1 when it stays; logged. */
int drop_take(struct router *router, const char *name);

/* When incoming/name, dropped by hand, may be taken (microseconds since 1970): it must have been
 * quiet and nobody may have it open for writing. -1: it is gone. */
int64_t drop_due(struct router *router, const char *name);

/* Leaves incoming/name alone for a while, after it could not be moved. */
void drop_rest(struct router *router, const char *name);
/* Until when (microseconds since 1970), or 0. */
int64_t drop_rests_until(const struct router *router, const char *name);

/* Starts dcmspool-association -r for each directory in receiving/ whose lock is free. */
void drop_recover(struct router *router);

#endif
