/*
 * disk: the few ways in which dcmspool touches a file system. Everything is relative to directory
 * descriptors; nothing follows a symbolic link in the last component; nothing here exits. All
 * return -1 with errno set unless stated otherwise.
 */
#ifndef DISK_H
#define DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Opens a directory for use as *at() base (O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC). The caller closes. */
int disk_open_dir(int dir, const char *name);

/* Makes a directory that belongs to us writable for us: what was copied from a CD or a read-only
 * share has modes in which nothing can be moved, not even itself (rename(2) of a directory writes
 * its
 * ".."). What is not ours stays as it is. */
void disk_let_write(int dir);

/* mkdir(2) with mode 0770 before the umask. An existing directory is no error. */
int disk_make_dir(int dir, const char *name);

/* Opens directory name and takes operation (LOCK_SH or LOCK_EX, with or without LOCK_NB) on it by
 * flock(2), then makes sure that the name still stands for what was locked. Returns the descriptor,
 * whose close releases the lock. errno EWOULDBLOCK: somebody else has it; ENOENT: it is gone, or
 * moved while we waited; ENOTDIR, ELOOP: not a directory. */
int disk_lock_dir(int dir, const char *name, int operation);

/* Replaces or makes the file name with these bytes so that it is there complete or not at all,
 * after a crash as well: temporary file, fsync, rename, fsync of the directory. The caller must be
 * the only writer of this name (it holds the directory's lock). */
int disk_write_file(int dir, const char *name, const void *data, size_t length);

/* fsync(2). From disk_sync_later(true) to (false) this and disk_write_file() leave it to the
 * caller, who does it for many at once, syncfs(2), before anything follows from what was written.
 */
int disk_sync(int fd);
void disk_sync_later(bool later);

/* Reads a whole file of at most max bytes, NUL-terminated, into memory that the caller frees; NULL
 * on error (EFBIG: larger). length may be NULL. */
char *disk_read_file(int dir, const char *name, size_t max, size_t *length);

/* write(2) until all is written. */
int disk_write_all(int fd, const void *data, size_t length);

/* Copies what from has from offset at to its end to where to stands. Returns 0, DISK_READ or
 * DISK_WRITE: which of the two failed, with errno. */
enum { DISK_READ = -1, DISK_WRITE = -2 };
int disk_copy(int from, off_t at, int to);

/* Have two files the same bytes from these offsets on? 1, 0, or -1. */
int disk_same_bytes(int a, off_t at_a, int b, off_t at_b);

/* Appends a line (with its newline) by one write, making the file when needed. A short write is an
 * error (ENOSPC); the next line begins on a line of its own all the same. */
int disk_append(int dir, const char *name, const void *data, size_t length);

/* renameat2(2) with RENAME_NOREPLACE: EEXIST when the new name is taken. */
int disk_rename(int from_dir, const char *from, int to_dir, const char *to);

/* Moves from_dir/from to to_dir under the name, or name~2, name~3 ... when that is taken; made (of
 * size bytes, may be NULL) tells which. */
int disk_rename_unique(
	int from_dir, const char *from, int to_dir, const char *name, char *made, size_t size);

/* Closes what was written. A negative result is handed on, with its errno; after 0 the close's. */
int disk_close(int fd, int result);

/* unlinkat(2); a file that is not there is no error. */
int disk_unlink(int dir, const char *name);

/* 1 when name exists (not followed when a link), 0 when not, -1 on any other error. */
int disk_exists(int dir, const char *name);

/* True when two descriptors or a descriptor and a name are the same file. */
bool disk_same_file(const struct stat *a, const struct stat *b);

/* The names in a directory, sorted by strcmp(3), without "." and "..". */
struct disk_names {
	char **name;
	size_t count;
};
int disk_list(int dir, const char *name, struct disk_names *out);
/* Adds one at the end. */
int disk_names_add(struct disk_names *names, const char *name);
void disk_names_free(struct disk_names *names);

/* Free space for unprivileged users on dir's file system, bytes; -1 on error. */
int64_t disk_free_bytes(int dir);

#endif
