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

/* Completes a split that was committed before a crash: drops images that lie in error/ already, and
 * tells what the journal may lack of them; and what a killed writer left of a file. To be called
 * before the images are listed. */
int split_resume(const struct spool *spool, const struct claimed *claimed);

#endif
