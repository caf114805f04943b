/*
 * serve: handles one DICOM connection, its socket being standard input; see
 * dcmspool-association(8).
 *
 *   peek at the A-ASSOCIATE-RQ -> check -> refuse, or:
 *   make receiving/<association>, locked -> start getdcmtags and storescp there -> wait for both
 *   -> remove the markers .assoc.<association> in incoming/ -> remove receiving/<association>
 *
 * Killed at any point, it leaves a directory whose lock is free; a recovery then goes on at the
 * fourth step. Doing a step twice does no harm.
 *
 * Both are a process' last deed: they take its signals over and may exit. They return its exit
 * code.
 */
#ifndef SERVE_H
#define SERVE_H

#include "conf/conf.h"
#include "spool/spool.h"

#include <stdbool.h>

/* behind_tls: the environment says who is calling. parked: the command socket of a storescp that
 * waits (parked.h), which is closed here; -1: none does. conf: loaded with names_check(). */
int serve_connection(
	const struct conf *conf, const struct spool *spool, bool behind_tls, int parked);

/* A dead association. */
int serve_recover(const struct conf *conf, const struct spool *spool, const char *name);

/* Takes the place of a descriptor that is the connection: the sender would see it closed only when
 * our copies are closed, too. */
void serve_let_go(int fd);

#endif
