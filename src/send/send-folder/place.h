/*
 * place: one file into a directory of the target, by a hard link where that is possible, else by a
 * durable copy. Names are single components; nothing is followed, nothing is overwritten.
 */
#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>

/* PLACE_SOURCE: the image cannot be read; PLACE_TARGET: the directory cannot take it. errno says
 * why. */
enum place_result { PLACE_OK, PLACE_SOURCE, PLACE_TARGET };

/* Puts the file from_dir/from_name into directory to under name, or under a numbered one when there
 * is another file with other bytes. *placed: the name it got, which the caller frees. *copy is set
 * once a hard link has proved impossible, and no further one is tried. */
enum place_result place_file(
	int from_dir, const char *from_name, int to, const char *name, bool *copy, char **placed);

/* Moves dir/name into directory to, in which the name is taken: away when the same bytes are there,
 * else to the next free number. Returns -1 with errno. */
int place_beside(int dir, const char *name, int to);

/* Makes the empty file name in the directory path ("a/b", "" for dir itself) below dir, durably.
 * One that is there is left as it is, but for its time. Returns -1 with errno. */
int place_marker(int dir, const char *path, const char *name);

/* renameat2(2) with RENAME_NOREPLACE, or what comes nearest to it where a file system has no such
 * thing. -1 with errno: EEXIST: the name is taken. */
int place_rename(int from_dir, const char *from, int to_dir, const char *to);

#endif
