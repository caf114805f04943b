/*
 * follow: the watcher of one receiving/<association>/.
 *
 * What storescp has acknowledged gets its name, <file>.ok, by a rename that wakes us, and is filed
 * at once. The end of standard input says that storescp has ended: the rest is removed. In a
 * directory of a dcmspool of before (assoc_has_ok()) and in what was dropped by hand nothing has
 * this name: at the end each file is walked before it is believed.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "spool/spool.h"

/* path: "receiving/<association>". Returns the exit code of the process: 0 when the directory has
 * been emptied, EXIT_TEMPORARY when something could not be filed and is still there. */
int follow_association(const struct spool *spool, const char *path);

#endif
