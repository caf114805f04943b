/*
 * untold: jobs in error/ whose last line the journal may lack: a dispatcher was killed between the
 * move and the line. They are never deleted by dcmspool, so nobody else comes across them.
 */
#ifndef UNTOLD_H
#define UNTOLD_H

struct spool;

/* Writes the line of the job in the open directory dir, which is name in error/, once more, unless
 * it has .told. What failed is done at another time. */
void untold_tell(const struct spool *spool, int dir, const char *name);
/* The same for all of error/. */
void untold_tell_all(const struct spool *spool);

#endif
