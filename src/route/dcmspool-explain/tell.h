/*
 * tell: prints what the rules say about a series, and why.
 */
#ifndef TELL_H
#define TELL_H

#include "series.h"

/* Returns 0 when it goes somewhere, 1 when it is discarded, EXIT_TEMPORARY when an image could not
 * be read, which is reported. */
series_tell tell;

#endif
