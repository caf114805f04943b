/*
 * early: sending ahead (STATES.md 5a): ahead.json in a batch, the early decision, which is a
 * plan.json (plan.h); and <job>.ahead in the queues of its targets, the entries by which
 * dispatchers send from the batch. An entry holds no image: losing one costs that images are sent
 * twice.
 */
#ifndef SPOOL_EARLY_H
#define SPOOL_EARLY_H

#include <jansson.h>
#include <stddef.h>

#include "spool/spool.h"

/* Room for "<job>.<priority>.ahead". */
enum { EARLY_NAME_SIZE = 128 };

/* The object of ahead.json, which the caller decrefs; NULL with errno: ENOENT, EINVAL (damaged). */
json_t *early_load(int batch);
/* Writes it unless another router has just done so. -1 with errno. */
int early_create(int batch, const json_t *plan);

/* The names of the plan's job in a target's queue, and of its entry. */
void early_job(const json_t *plan, const char *target, char out[EARLY_NAME_SIZE]);
void early_entry(const char *job, char out[EARLY_NAME_SIZE]);

/* Makes the entry of one of the plan's targets; batch: the name in incoming/. One that is there
 * stays. -1 with errno. */
int early_enter(
	const struct spool *spool, const json_t *plan, const char *target, const char *batch);
/* The name of its batch, in memory that the caller frees; NULL with errno, EINVAL: it has none. */
char *early_batch(int entry);

/* The entry name in the open directory queue, open as entry and locked, goes: what it has of the
 * ledger becomes the job's, which is locked, too; job -1: nothing of it is wanted. -1 with errno.
 */
int early_take_over(int queue, const char *name, int entry, int job);

/* Removes what a killed writer has left in a queue, which is locked, under a name of
 * file_is_temporary(): a file, or an entry; any other directory stays. */
void early_clear(int queue, const char *name);

#endif
