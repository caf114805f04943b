/*
 * collect: the life of an association from the moment it is admitted: storescp receives, getdcmtags
 * files the images; both are waited for, and the directory is taken apart.
 *
 * getdcmtags learns on its standard input how storescp ended: 'c' (clean: all files that are there
 * are whole) or 'b' (broken: the last file has to be looked at), then the end of the pipe.
 *
 * storescp --inetd exits with 0 also after an abort by the sender, a lost connection, a time-out
 * and a full disk; but before it does, it has deleted the file that is not whole (DCMTK 3.6.7,
 * storescp.cc storeSCP() and main(); dimstore.cc DIMSE_storeProvider()). So 0 means clean;
 * where it would not notice that it could not write, preload/storescp-write.c ends it with another.
 */
#ifndef COLLECT_H
#define COLLECT_H

#include "association.h"
#include "relay.h"

#include <sys/types.h>

struct collect {
	const struct association *a;
	int signals;         /* run_signals() */
	pid_t storescp;      /* -1: none, as in a recovery */
	int log;             /* its log; -1: none */
	struct relay *relay; /* between the sender and it; NULL: it has the connection itself */
	pid_t tags;          /* set by collect_start() */
	int verdict_in;      /* the pipe to getdcmtags */
	char verdict;        /* 'c' or 'b' once storescp has ended */
	bool stopping;       /* SIGTERM came */
	int quarantined;
	long lines;    /* of storescp's log */
	long pause_ms; /* before getdcmtags is started again */
	int64_t start_at_us;
};

/* Starts getdcmtags; collect_run() goes on, and starts it again when this failed. */
int collect_start(struct collect *c);

/* storescp has ended (or never began) with this exit status. */
void collect_storescp_ended(struct collect *c, int status);

/* Until both have ended. Returns 0, or -1 after having logged why: images remain. */
int collect_run(struct collect *c);

#endif
