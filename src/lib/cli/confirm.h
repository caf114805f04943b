/*
 * confirm: a verb that acts on what a query found shows that first, and asks.
 */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include <stdbool.h>

#include "spool/walk.h"

/* Leaves the places that the verb can act on meant, and the series that have one. */
void confirm_only(struct walk *found, bool (*can)(const struct place *place));

/* Prints the series, and asks whether to `act` ("Cancel"), unless yes. Returns 0, or an exit code:
 * 1: nothing fits, or the answer was no; EXIT_TEMPORARY: nothing of what could be seen fits;
 * EXIT_PERMANENT: there is no terminal to ask on. */
int confirm_found(const struct spool *spool, struct walk *found, const char *act, bool yes);

#endif
