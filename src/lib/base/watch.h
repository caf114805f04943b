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

/* Starts. Returns -1 with errno. */
int watch_open(void);

/* The descriptor to poll(2); it may be another one after each scan. */
int watch_fd(void);

void watch_begin(void);
/* Watches a path relative to the working directory, a directory's with '/' at its end, for
 * inotify(7) events. Returns -1 with errno: ENOENT: gone; ENOSPC: fs.inotify.max_user_watches is
 * too small. */
int watch_keep(const char *path, unsigned int events);
void watch_end(void);

/* Takes all waiting events, after poll(2) said that there are some. */
void watch_drain(void);

#endif
