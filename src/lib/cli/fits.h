/*
 * fits: does a series fit the words of a query (query.h)?
 */
#ifndef CLI_FITS_H
#define CLI_FITS_H

#include "cli/query.h"

/* Do those words that are told by names fit, so that nothing is opened? Sets meant of the places.
 */
bool fits_names(const struct query *query, const struct walk *walk, struct item *item);
/* And those for which its files are to be read? */
bool fits_files(const struct query *query, const struct spool *spool, struct item *item);

/* Of a line of the journal: is a job of this name, and of this target (may be ""), the one that the
 * word says? */
bool fits_job(const struct query_word *word, const char *name, const char *target);
/* Does the text fit the word's glob? Without regard to case. */
bool fits_glob(const struct query_word *word, const char *text);

#endif
