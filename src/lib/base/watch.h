/*
 * watch: libinotifytools, wrapped. One set of watches per process. An event is a hint: nobody asks
 * what happened, only whether something did; then everything is scanned again. Each scan says anew
 * what is to be watched, before it looks:
 *
 *	watch_begin(); watch_keep(...); ... watch_end();
 *
 * which adds what is new and ends what was not named again.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Dies when no watches can be had. */
void watch_begin(void);
/* Watches a path relative to the working directory, a directory's with '/' at its end, for
 * inotify(7) events. Returns -1 with errno: ENOENT: gone; ENOSPC: fs.inotify.max_user_watches is
 * too small. */
int watch_keep(const char *path, unsigned int events);
void watch_end(void);

/* A descriptor that somebody else reads, and that ends the wait when there is something to read. */
void watch_also(int fd);

/* loop_poll() that ends with an event in the watched tree as well: all that have come are taken.
 * Returns true when there was one; due (may be NULL) is what loop_poll() returned. */
bool watch_wait(struct loop *loop, int64_t due_us, bool *due);

#endif
