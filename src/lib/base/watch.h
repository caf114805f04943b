/*
 * watch: libinotifytools, wrapped. One set of watches per process. An event is a hint: it says that
 * what is known of something is old (watch_each()), or nothing but that something happened; then
 * everything is scanned again. Each scan says anew what is to be watched, before it looks:
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
/* For what is known to be the same directory as at the last watch_keep(), and has it still. */
bool watch_still(const char *path);
void watch_end(void);

/* Is told each event when it is taken, in watch_begin() or watch_wait(): the path as it was named,
 * and the name in it ("": the directory itself). path NULL: events were lost. */
typedef void watch_take(const char *path, const char *name);
void watch_each(watch_take *take);

/* A descriptor that somebody else reads, and that ends the wait when there is something to read. */
void watch_also(int fd);

/* loop_poll() that ends with an event in the watched tree as well: all that have come are taken.
 * Returns true when there was one; due (may be NULL) is what loop_poll() returned. */
bool watch_wait(struct loop *loop, int64_t due_us, bool *due);

#endif
