/*
 * tree: a job's directory tree, built aside in the target folder, made durable, and then published.
 */
#ifndef TREE_H
#define TREE_H

/* fsync(2) of every directory of the tree; the files were synced when they were made. */
int tree_sync(int dir, const char *name);

/* Moves everything in directory from into directory to: what does not exist there yet, a directory
 * with all that is in it included, by one rename(2); directories that exist are merged; a file
 * whose name is taken goes beside it. Nothing in to is ever replaced or followed. What cannot be
 * merged, because a file or a link has the name of a directory, stays in from. Every directory of
 * to that was visited is synced. Returns -1 with errno when the target fails. */
int tree_publish(int from, int to);

/* Removes everything in a directory. It must hold links and copies only. */
int tree_clear(int dir);

#endif
