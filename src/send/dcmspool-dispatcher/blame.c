#include "blame.h"

#include "base/log.h"
#include "base/run.h"

#include <string.h>

enum blame blame_run(const struct blame_run *run)
{
	if (run->lost)
		return BLAME_NOBODY; /* a new one is asked */
	if (run->own_fault)
		return BLAME_OURS;
	if (run->status > RUN_SIGNALLED)
		return run->answered ? BLAME_NOBODY : BLAME_KILLED;
	if (run->no_room && run->answered)
		return BLAME_TARGET;
	if (run->doubted && !run->answered)
		return BLAME_BREAK;
	if (run->status != EXIT_TEMPORARY && run->status != EXIT_PERMANENT)
		return BLAME_IMAGES;
	return run->answered ? BLAME_NOBODY : BLAME_TARGET;
}

/* A7xx (PS3.4 Table B.2-1: out of resources) and what HTTP has for it: Too Many Requests, Service
 * Unavailable, Insufficient Storage (RFC 6585, 9110, 4918). */
bool blame_is_no_room(const char *status)
{
	return (strlen(status) == 4 && strncmp(status, "A7", 2) == 0) ||
	       strcmp(status, "429") == 0 || strcmp(status, "503") == 0 ||
	       strcmp(status, "507") == 0;
}

/* PS3.7 Annex C: Duplicate SOP Instance. */
bool blame_is_duplicate(const char *status)
{
	return strcmp(status, "0111") == 0;
}
