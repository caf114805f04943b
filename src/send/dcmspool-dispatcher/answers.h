/*
 * answers: the images of a job and what its target answered to each; the ledger, spool/ledger.h,
 * has it on the disk before anything follows from it.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

struct claimed;

/* One image of a job and what the ledger says of it. */
struct image {
	char *name;
	bool stored;
	long failures;  /* answers that were refusals */
	char status[8]; /* of the last answer */
	char text[200]; /* its meaning */
	long tries;     /* answers in all */
	bool answered;  /* in this run */
};
struct answers {
	struct image *image; /* sorted by name */
	size_t count;
};

/* Lists the images and reads the ledger. -1 with errno. answers_free() in any case. */
int answers_load(const struct claimed *claimed, struct answers *answers);
void answers_free(struct answers *answers);
/* NULL when the job has no such image. */
struct image *answers_find(const struct answers *answers, const char *name);
/* Did the target answer anything in this run? */
bool answers_any(const struct answers *answers);
/* Appends one answer to the ledger, and notes it in the image. A ledger that cannot be written is
 * an error: without it the image would be sent for ever. */
int answers_add(const struct claimed *claimed, struct image *image, bool stored, const char *status,
	const char *text);

#endif
