/*
 * await: jobs that a verb has just made, followed until they are at rest: a bar on a terminal, a
 * line for each elsewhere. An event in the tree is a hint to look; between two looks at least a
 * moment passes.
 */
#ifndef CLI_AWAIT_H
#define CLI_AWAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/disk.h"
#include "spool/spool.h"

struct await {
	int64_t since_us;       /* when it began: what the router names, it names later */
	struct disk_names jobs; /* <job> without priority; or ".<study>.<series>" at its end, of one
				   that is still to be named */
};

/* Dies without memory. A job that has moved to incoming/ is awaited under its next name. */
void await_add(struct await *await, const char *job);
void await_add_moved(struct await *await, const char *job);

void await_free(struct await *await);

/* Sleeps until all are at rest. Returns 0 when all were sent, else 1: some failed, or were
 * cancelled or discarded, which is told. */
int await_all(struct await *await, const struct spool *spool);

#endif
