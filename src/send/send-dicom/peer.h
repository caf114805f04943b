/*
 * peer: whom we send to and how: the settings of the target, checked. With pass_aet and
 * return_to_sender, series.json of the job has a say in it.
 */
#ifndef PEER_H
#define PEER_H

#include "dicom/network/association.h"
#include "syntax.h"
#include "tls/tls.h"

#include <stdbool.h>

struct peer {
	const char *host; /* NULL: return_to_sender, and the job has no sender to return to */
	const char *port, *aec, *aet;
	long connect_s, timeout_s;
	uint32_t longest; /* PDU */
	enum syntax_decompress decompress;
	bool nodelay;
	long connections; /* over which one job is sent at once */
	long rate;        /* bytes per second over all of them; 0: no limit */
	struct tls_settings tls_settings;
	struct tls *tls; /* NULL: plain */
};

/* Reads the environment, and with a job series.json where it matters. Dies with 100 on a setting
 * that cannot work. *peer must stay where it is. */
void peer_read(struct peer *peer, bool job);

/* For the next job: whom its series.json says. Returns true when that is somebody else, or we are.
 */
bool peer_again(struct peer *peer);

/* How it is called with these proposals. */
void peer_call(const struct peer *peer, const struct associate_proposal *proposal, size_t count,
	struct association_call *call);

#endif
