/*
 * leftover: the hidden directories that killed runs for other jobs have left in the folder. A job's
 * own next attempt clears its own; nobody comes back for that of a job which was taken back.
 *
 * It is nobody's when nobody has its lock and nothing was made or taken away in it for a day. A run
 * tells its images all at once, and the dispatcher ends one that tells nothing for an hour: so a
 * day alone would do, where directories cannot be locked.
 */
#ifndef LEFTOVER_H
#define LEFTOVER_H

#define LEFTOVER_PREFIX ".dcmspool."

/* Removes those beside ours, which is open; its times are by the clock of the same machine. What
 * cannot be removed stays for the next one. */
void leftover_remove(int folder, int ours);

#endif
