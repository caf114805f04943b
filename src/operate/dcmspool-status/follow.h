/*
 * --watch: the status again whenever the spool, what runs or the configuration changes. Between two
 * looks at least a moment passes; with nothing to tell of that time changes, it sleeps.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include <stdbool.h>

#include "status.h"

/* Until SIGINT or another end. print: what it writes to standard output is the screen when there is
 * a terminal, and what was told on standard error stands below. */
void follow(const struct spool *spool, const char *file, struct lately *lately,
	void (*print)(const struct status *status), bool terminal);

#endif
