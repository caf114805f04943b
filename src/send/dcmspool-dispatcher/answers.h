/*
 * answers: the images of a job and what its target answered to each; the ledger, spool/ledger.h,
 * has it on the disk before anything follows from it.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

struct claimed;
struct disk_names;

/* One image of a job and what the ledger says of it. */
struct image {
	char *name;
	bool stored;
	bool refused_for_good; /* another try would change nothing */
	long failures;         /* answers that were refusals of this image */
	char status[8];        /* of the last answer */
	char text[200];        /* its meaning */
	long tries;            /* answers in all */
	long suspected;        /* how often the target broke at it */
	bool in_doubt;         /* it may have arrived: sent, and no answer came */
	bool alone;   /* it was refused when others were stored: its refusals are its own */
	bool no_room; /* refused for want of resources, and nothing was stored since */

	bool answered; /* in this run of the sender */
	bool doubted;  /* in this run: sent, no answer */
	bool listed;   /* in this run: to be sent */
	bool waits;    /* refused in this attempt: to be tried in the next one */
};
struct answers {
	struct image *image; /* sorted by name */
	size_t count;
	size_t no_room;                  /* images that have it */
	size_t listed;                   /* for this run of the sender */
	size_t answered, doubted;        /* in it */
	size_t answered_all, stored_all; /* in all runs of this attempt */
};

/* What a sender says of an image. */
enum said_of { SAID_FAILED, SAID_NEVER, SAID_STORED, SAID_DOUBT };

/* Lists the images and reads the ledger. -1 with errno. answers_free() in any case. */
int answers_load(const struct claimed *claimed, struct answers *answers);
/* The same of these names, sorted, which are taken over, without a ledger. */
int answers_take(struct answers *answers, struct disk_names *names);
void answers_free(struct answers *answers);
/* NULL when the job has no such image. */
struct image *answers_find(const struct answers *answers, const char *name);

/* A run of the sender begins. */
void answers_begin(struct answers *answers);
/* Appends one answer to the ledger, and notes it in the image. A ledger that cannot be written is
 * an error: without it the image would be sent for ever. */
int answers_add(const struct claimed *claimed, struct answers *answers, struct image *image,
	enum said_of said, const char *status, const char *text);
/* The same for what we take for a refusal, though the target has not said it. */
int answers_refuse(const struct claimed *claimed, struct answers *answers, struct image *image,
	const char *text);
/* The same for what is not to be tried again, with what was said of it last. */
int answers_give_up(const struct claimed *claimed, struct answers *answers, struct image *image);

#endif
