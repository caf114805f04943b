/*
 * upstream: series that are not in a queue yet. Order of arrival is that of the first image of each
 * series, and a series that began later may be complete sooner: what began before it waits in a
 * stage before the queues.
 *
 * What has not arrived when it is looked for arrives later than everything that had: so a look
 * tells for long whether older series are on their way, and only one that may still be there, or a
 * job that is younger than the look, makes another.
 */
#ifndef UPSTREAM_H
#define UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "spool/spool.h"

struct on_its_way {
	uint32_t study;  /* as in job names */
	int64_t time_us; /* when its first image arrived */
	char path[300];  /* where it is, in the spool */
};
/* What is known of a batch, which does not change. */
struct known_batch {
	char *name;
	ino_t inode;
	uint32_t study;
	int64_t time_us;
};
struct upstream {
	struct on_its_way *series; /* for the life of the process, grows; by study and time */
	size_t count, room;
	struct known_batch *batch; /* by name: all of the last look */
	size_t batches;
	int64_t looked_us, before_us; /* when, and what arrived until then was looked for */
	int64_t lasting_us; /* what arrived until then cannot come upstream any more, only go */
	int64_t wanted_us;  /* a job of that time has to know; 0: none */
	bool is_fresh;      /* looked at for this choice */
	bool unknown;       /* it could not be looked at: what goes in order waits */
	bool awaited;       /* a job waits for a series on its way, so that way is to be watched */
};

/* Lists the series on their way that may have to go before what is wanted. -1 when that cannot be
 * done now; it is logged, and noted as unknown. */
int upstream_look(struct upstream *upstream, const struct spool *spool);
/* Is one of the study on its way that arrived before time_us? UPSTREAM_ASK: what is known does not
 * tell. Then it is noted as wanted; or, when that was looked for just now, the job came later. */
enum upstream_answer { UPSTREAM_NONE, UPSTREAM_SOME, UPSTREAM_ASK };
enum upstream_answer upstream_has(struct upstream *upstream, uint32_t study, int64_t time_us);
/* It, or NULL. */
const struct on_its_way *upstream_before(
	const struct upstream *upstream, uint32_t study, int64_t time_us);

/* Watches these stages: what leaves one was waited for, or goes on to the next. -1 with errno. */
int upstream_watch(void);

#endif
