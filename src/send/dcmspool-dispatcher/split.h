/*
 * split: a part of a job was given up: its images are linked into .failed in the job, which becomes
 * error/<job>.<target> by one rename; then the links in the job go. STATES.md 5.
 */
#ifndef SPLIT_H
#define SPLIT_H

#include "attempt.h"
#include "spool/spool.h"

enum { SPLIT_NAME_SIZE = 400 };

/* "<job>.<target>", the name in success/, discard/ and error/. */
void split_name(const struct claimed *claimed, char *out, size_t size);

/* The images that were given up become error/<made>; the rest stays, to be a success. */
int split_job(const struct spool *spool, const struct attempt *attempt, char *made, size_t size);

/* Removes what a killed writer left of a file, and of a split that was not committed. */
int split_clean(int job);
/* Completes a split that was committed before a crash: drops images that were given up and lie in
 * error/ already, and tells what the journal may lack of them. Returns how many were dropped, or
 * -1; if any were, the answers are to be loaded again. */
int split_complete(const struct spool *spool, const struct attempt *attempt);

#endif
