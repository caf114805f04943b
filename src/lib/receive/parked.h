/*
 * parked: a storescp that waits for connections, so that one does not cost the start of DCMTK (ten
 * of sixteen milliseconds for an association of one image).
 *
 * The receiver starts it, and whoever serves a connection hands it over through its command socket,
 * together with LIFE, one end of a socket pair. For each the waiting one forks a child, which is a
 * `storescp --inetd` like any other, see preload/park.c. On LIFE come from it, a message each:
 *
 *	its pid        it has the connection, of which nothing was read yet
 *	a byte         its exit status: main() has returned
 *	the end        without that byte: it was killed, or has crashed
 *
 * The end without a pid: nobody has the connection, nor will, and it is as it was: then a storescp
 * is started for it, as there always was before. Closing or shutting down the other end of LIFE
 * kills the child.
 *
 * It keeps the libraries it was started with. Whether DCMTK is still the one of then is asked at
 * each connection (no event: at idle, nobody looks); one that waits with another is let go, which
 * ends it as soon as nobody can hand anything over any more. Its children go on.
 */
#ifndef PARKED_H
#define PARKED_H

#include "conf/conf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum {
	PARKED_CONNECTION,
	PARKED_DIRECTORY, /* the association's, locked */
	PARKED_LIFE,
	PARKED_LOG, /* a pipe */
	PARKED_PROFILE,
	PARKED_HANDED /* together in one record, SCM_RIGHTS */
};

/* A file that it runs: storescp, DCMTK's network library. */
struct parked_file {
	char *path;
	struct stat st;
};
enum { PARKED_FILES = 2 };

struct parked {
	const struct conf_receiver *conf;
	pid_t pid;   /* -1: none */
	int command; /* our end; -1: none */
	int log;     /* what it has said, in memory; -1: none */
	bool waits;  /* it has said that it does */
	struct parked_file file[PARKED_FILES];
	int64_t start_ms; /* CLOCK_MONOTONIC: none is started before */
	int64_t pause_ms; /* grows with each that does not come to wait */
};

/* Starts one. When it cannot, or it does not come to wait, that is told, and tried again at a
 * connection some time later. */
void parked_open(struct parked *p, const struct conf_receiver *conf);

/* For one connection: the command socket, still ours; -1: no storescp waits now. */
int parked_command(struct parked *p);

/* There is something on the command socket. */
void parked_turn(struct parked *p);

/* A child has ended. Returns whether it was this. */
bool parked_ended(struct parked *p, pid_t pid, int status);

/* Hands these descriptors over, all of them still ours; PARKED_LIFE is filled in. Returns the pid
 * of who has the connection now, and our end of LIFE in *life; or -1: nobody has it. */
pid_t parked_hand_over(int command, int handed[PARKED_HANDED], int *life);

/* Kills who has it. His end of LIFE still closes, later. */
void parked_kill(int life);

#endif
