/*
 * resend: one series that is at rest goes again: by the rules of now (back.c), or to one target
 * (to.c). STATES.md 6. Both return an exit code, having said what was done or what is wrong.
 */
#ifndef RESEND_H
#define RESEND_H

#include "cli/await.h"
#include "cli/operator.h"
#include "spool/walk.h"

/* Moves the places that are meant to incoming/, one rename each. */
int resend_back(const struct verb *verb, const struct item *item, struct await *await);

/* The series waits for the target already, or is being sent to it: the name of that job, its own or
 * one that was made of it; NULL: it does not. all: the whole tree. */
const char *resend_waits(
	const struct spool *spool, struct walk *all, const struct item *item, const char *target);

/* Makes a job for the target of the images in the places that are meant, which stay as they are. */
int resend_to(const struct verb *verb, struct item *item, const char *target, struct await *await);

#endif
