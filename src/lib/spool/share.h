/*
 * share: a file for one more copy of a job: a hard link, or a copy where none is permitted. That is
 * so for files of another user (fs.protected_hardlinks), for one that has as many links as the file
 * system allows, and where the file lies under another mount.
 */
#ifndef SPOOL_SHARE_H
#define SPOOL_SHARE_H

/* Removes what a crash has left half copied in a directory; comes first. -1 with errno. */
int share_begin(int to);
/* Puts the file from/name into to as well; what is there already is kept. 0: it is a link, for
 * which fsync(2) of the directory is enough; 1: it is a copy, which syncfs(2) makes durable; -1
 * with errno. */
int share_file(int from, int to, const char *name);
/* The same for what stays another's, who may write to it: always a copy. */
int share_copy(int from, const char *name, int to, const char *as);

#endif
