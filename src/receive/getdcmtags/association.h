/*
 * association: getdcmtags -w, the watcher of one receiving/<association>/.
 *
 * storescp writes one file after the other under their final names. A file is finished when
 * storescp has gone on: when its next file appears, or when the association process says that
 * storescp ended cleanly (the byte 'c' on standard input). Any other end ('b', or end of file)
 * leaves the files that are still here in doubt: each is walked to its end before it is believed.
 */
#ifndef ASSOCIATION_H
#define ASSOCIATION_H

#include "spool/spool.h"

/* path: "receiving/<association>". Returns the exit code of the program: 0 when the directory has
 * been emptied, EXIT_TEMPORARY when something could not be filed and is still there. */
int association_watch(const struct spool *spool, const char *path);

#endif
