/*
 * content: does what lies in a directory of the spool agree with what its files say? Called while
 * the tree is gone through, look.h.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include "base/disk.h"
#include "look.h"

/* One file, which lies there by this row of the table. */
void content_check_file(struct look *look, const struct state *row, int dir, const char *path,
	const char *name, const struct stat *st);

/* A directory with these names. */
void content_check(struct look *look, enum state_place place, int dir, const char *path,
	const struct disk_names *names);

#endif
