/*
 * series: the files of one series become a job.
 */
#ifndef SERIES_H
#define SERIES_H

#include "cli/await.h"
#include "cli/operator.h"
#include "files.h"

/* The files from first to before end are one series. What is no whole image is refused, the others
 * are copied. Returns an exit code, having said what was done or what is wrong. */
int series_send(const struct verb *verb, struct files *files, size_t first, size_t end,
	const char *target, struct await *await);

#endif
