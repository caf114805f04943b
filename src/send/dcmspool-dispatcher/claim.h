/*
 * claim: from one target's waiting jobs to the one that this process works on.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#include "queue.h"

/* A whole job is given up because its target has failed for longer than its give_up. */
struct hopeless {
	bool is;
	int64_t since_us;
	char reason[300];
};

/* A job in sending/<target>, whose directory is locked. */
struct claimed {
	const struct conf_target *target;
	char job[QUEUE_NAME_SIZE];
	int queue;   /* outgoing/<target> */
	int sending; /* sending/<target> */
	int dir;     /* sending/<target>/<job> */
	int images;  /* the batch that has the images; -1: dir, it is no entry (STATES.md 5a) */
	int probe;   /* outgoing/.probe, locked: the target was paused; else -1 */
	bool target_was_well; /* when it was claimed, the target was not paused */
	struct hopeless hopeless;
};

/* Claims from one target a job of this priority; JOB_PRIORITIES: only one whose dispatcher died. */
bool claim_from(struct dispatcher *dispatcher, const struct conf_target *target,
	enum job_priority priority, struct claimed *claimed);

/* The target has answered: others may try targets that are paused. */
void claimed_answered(struct claimed *claimed);
/* The directory of its images. */
int claimed_images(const struct claimed *claimed);
void claimed_close(struct claimed *claimed);

#endif
