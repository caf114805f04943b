/*
 * peer: whom we send to and how: the settings of the target, checked, as text for the arguments of
 * DCMTK's tools. With pass_aet and return_to_sender, series.json of the job has a say in it.
 *
 * Nothing that comes from a network becomes an option or a file name: DCMTK takes an argument that
 * begins with '-' for an option, unless it is an option's value, and reads more arguments from the
 * file whose name follows a '@' (3.6.7, ofcmdln.cc, parseCommandFile()).
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>

struct peer {
	const char *host; /* NULL: return_to_sender, and the job has no sender to return to */
	const char *port, *timeout, *max_pdu;
	const char *decompress; /* never, lossless, lossy */
	const char *aec, *aet;
	const char *key, *certificate; /* NULL: none */
	const char *authority;         /* NULL: no TLS */
	bool nodelay;
	long connections; /* over which one job is sent at once */
	long rate;        /* bytes per second over all of them; 0: no limit */
};

/* Reads the environment, and with a job series.json where it matters. Dies with 100 on a setting
 * that cannot work. */
void peer_read(struct peer *peer, bool job);

#endif
