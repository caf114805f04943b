/*
 * blame: whose failure it is, the table of dcmspool-sender(7), for all types of targets.
 */
#ifndef BLAME_H
#define BLAME_H

#include <stdbool.h>
#include <stddef.h>

enum blame {
	BLAME_NOBODY, /* broken off after an answer: the next image goes at once */
	BLAME_IMAGES, /* every answer is there: those that were refused are tried again later */
	BLAME_BREAK,  /* broken off at an image: the others go first, then it alone */
	BLAME_TARGET, /* it is left alone for a while; nothing counts */
	BLAME_KILLED, /* the sender: the job waits; nothing counts */
	BLAME_OURS    /* the sender could not be run; nothing counts */
};

/* What a run of a sender has to show for itself. */
struct blame_run {
	int status;      /* exit status, run.h */
	bool own_fault;  /* it could not be run */
	bool lost;       /* it had had other jobs before, and said nothing of this one */
	bool no_room;    /* images were refused for want of resources, and none was stored since */
	size_t answered; /* images that were stored or refused */
	size_t doubted;  /* that were sent and not answered */
};
enum blame blame_run(const struct blame_run *run);

/* Statuses that are the target's as a whole, unless others are stored at the same time. */
bool blame_is_no_room(const char *status);
/* The target has an image of this UID. */
bool blame_is_duplicate(const char *status);

#endif
