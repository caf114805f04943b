/*
 * memory: files without a name, in memory (memfd_create(2)): for what a child process is to read,
 * or has written, and what a kill -9 must not leave behind.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* A file of this content, to be read from its beginning; name is only for /proc/PID/fd. Inherited:
 * every child gets it under its number, else only who is given it (run.h). Returns the descriptor,
 * which the caller closes, or -1 with errno. */
int memory_file(const char *name, const void *data, size_t length, bool inherited);

/* The same of a buffer, which may hold a secret: it is wiped and freed in any case. One that has
 * failed is ENOMEM. */
int memory_buf(const char *name, struct buf *content, bool inherited);

/* Adds all that the file has to a buffer, whose data is a string then. Returns -1 with errno. */
int memory_read(int fd, struct buf *out);

/* The path under which whoever has the descriptor opens it anew. */
enum { MEMORY_PATH_SIZE = 32 };
void memory_path(int fd, char path[MEMORY_PATH_SIZE]);

#endif
