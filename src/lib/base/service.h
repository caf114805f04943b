/*
 * service: what a program of a supervisor does besides its work. It says once that it is ready (the
 * descriptor that DCMSPOOL_READY names, of s6's notification-fd), and begins anew, as the same
 * process, when SIGHUP has told it so (loop.h): with the program and the configuration of now.
 *
 * As long as it works with a configuration it has that file open, locked shared (flock(2)): who has
 * put another in its place waits for an exclusive lock on the old one, and sees in /proc who still
 * has it. One that begins anew keeps the old one until it is ready with the new, or has ended: then
 * there is nothing between.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <sys/types.h>

/* First in main(). What was inherited besides 0, 1 and 2 goes to no child. Below a supervisor, ends
 * with it (SIGTERM). */
void service_open(char *argv[]);

/* It is ready, with what it has read from this file, which was this one then. Begins anew at once
 * when another has its name by now. */
void service_ready(const char *file, dev_t device, ino_t inode);

/* A descriptor that is there under its number when it begins anew. */
void service_keep(int fd);

/* Begins anew. What is locked is let go, children stay its children. Dies when the program cannot
 * be run. */
_Noreturn void service_again(void);

#endif
