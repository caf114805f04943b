/*
 * collect: the life of an association from the moment it is admitted: storescp receives, getdcmtags
 * files the images; both are waited for, and the directory is taken apart.
 *
 * That storescp has ended, getdcmtags learns by the end of its standard input.
 *
 * storescp --inetd exits with 0 also after an abort by the sender, a lost connection, a time-out
 * and a full disk (DCMTK 3.6.7, storescp.cc storeSCP() and main()); otherwise it was killed or has
 * crashed, or preload/storescp-write.c has ended it. What it acknowledged is known either way.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include "association.h"
#include "base/loop.h"
#include "parked.h"
#include "relay.h"

#include <sys/types.h>

struct collect {
	const struct association *a;
	struct loop loop;
	pid_t storescp;      /* -1: none, as in a recovery */
	int life;            /* it is a child of one that waited (parked.h); -1: of ours */
	int log;             /* its log; -1: none */
	struct relay *relay; /* between the sender and it; NULL: it has the connection itself */
	pid_t tags;          /* set by collect_start() */
	int input;           /* the pipe to getdcmtags, in which nothing comes but the end */
	bool broken;         /* storescp has ended otherwise than with 0 */
	bool aborted;        /* it has ended the association, as its log says */
	bool odd;            /* because of an odd length, which it does not take */
	char not_taken[65];  /* the UID of the last image that it deleted */
	bool stopping;       /* SIGTERM came, or it is a recovery */
	int quarantined;
	long lines;    /* of storescp's log */
	long pause_ms; /* before getdcmtags is started again */
	int64_t start_at_us;
};

/* Starts getdcmtags; collect_run() goes on, and starts it again when this failed. */
int collect_start(struct collect *c);

/* Gives the connection, the caller's, to a storescp: the one that waits behind the command socket
 * (parked.h; -1: none does), else one of its own. profile: profile.h. -1 with errno. */
int collect_storescp(struct collect *c, int connection, const char *profile, int command);

/* storescp has ended (or never began) with this exit status. */
void collect_storescp_ended(struct collect *c, int status);

/* Until both have ended. Returns 0, or -1 after having logged why: images remain. */
int collect_run(struct collect *c);

#endif
