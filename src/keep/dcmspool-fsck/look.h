/*
 * look: goes through a spool by the table of what may lie where (spool/states.h). Takes no lock and
 * changes nothing: what is on its way while it looks is to be looked at twice.
 */
#ifndef LOOK_H
#define LOOK_H

#include "cli/findings.h"
#include "conf/conf.h"
#include "spool/states.h"

struct look {
	const struct conf *conf;
	bool read_images; /* to their ends */
	struct findings *found;
	size_t directories, images; /* that were looked at */
	bool failed;                /* something could not be looked at; it was said */
};

/* It could not be looked at: errno says why. What has gone on meanwhile is no failure. */
void look_failed(struct look *look, const char *path);

/* The spool whose root is open as dir. */
void look_at_spool(struct look *look, int dir);

#endif
