/*
 * running: the configuration of who acts on what runs. `dcmspool up` works with a copy, so a file
 * that is being edited says nothing of what runs; a mistake in it must keep nobody from acting.
 */
#ifndef CLI_RUNNING_H
#define CLI_RUNNING_H

#include <stdbool.h>

#include "conf/conf.h"

/* Does a router run on this spool? */
bool running_on(const char *spool);

/* conf is what was read from file, NULL when it has mistakes, which were told. Where a router runs
 * on the spool that the file names, returns the copy that it works with, and says so when they
 * differ; else conf, NULL with EINVAL. */
struct conf *running_conf(const char *file, struct conf *conf);

/* What somebody sees who only looks, also at another's router. */
struct running {
	char *file;        /* which was meant, or that the copy was made from */
	struct conf *conf; /* of that; NULL: it cannot be read, and why */
	struct conf *copy; /* of the copy that `up` has made; NULL: there is none */
	char *spool;       /* which the file names */
	int why;           /* errno: EINVAL: mistakes, which were told */
	bool differ;       /* file and copy */
};
/* Reads both anew. Mistakes go to the log. running_free() frees. */
void running_look(const char *file, struct running *out);
void running_free(struct running *running);

#endif
