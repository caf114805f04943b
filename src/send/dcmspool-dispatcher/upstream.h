/*
 * upstream: series that are not in a queue yet. Order of arrival is that of the first image of each
 * series, and a series that began later may be complete sooner: what began before it waits in a
 * stage before the queues.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

struct on_its_way {
	uint32_t study;  /* as in job names */
	int64_t time_us; /* when its first image arrived */
	char path[300];  /* where it is, in the spool */
};
struct upstream {
	struct on_its_way *series; /* for the life of the process, grows */
	size_t count;
	int64_t before_us; /* only what arrived before this was looked for */
	bool unknown;      /* it could not be looked at: what goes in order waits */
	bool awaited;      /* a job waits for a series on its way, so that way is to be watched */
};

/* Lists the series on their way whose first image arrived before before_us (0: no one asks). -1
 * when that cannot be done now; it is logged, and noted as unknown. */
int upstream_look(struct upstream *upstream, const struct spool *spool, int64_t before_us);
/* One of the study that arrived before time_us, or NULL. */
const struct on_its_way *upstream_before(
	const struct upstream *upstream, uint32_t study, int64_t time_us);

/* Watches these stages: what leaves one was waited for, or goes on to the next. -1 with errno. */
int upstream_watch(void);

#endif
