/*
 * filing: moves one image into its batch, incoming/<SeriesInstanceUID>/<SOPInstanceUID>.dcm.
 *
 * Invariants: one rename commits; nothing is overwritten; while an image is filed its batch is
 * locked shared, so no router can claim the batch between our look and our rename (STATES.md 2, 3).
 */
#ifndef FILING_H
#define FILING_H

#include <jansson.h>
#include <stdbool.h>

#include "spool/spool.h"

struct filing {
	const struct spool *spool;
	const char *association; /* its name: the batch's marker is .assoc.<association> */
	const char *label;       /* what cannot be read goes to error/<label>/ */
	json_t *sender;          /* association.json; borrowed */
	json_t *stand_ins; /* of sender's, taken out of it; NULL: none, see correct.h; borrowed */
	bool dropped;      /* brought by hand: the files' times say nothing about arrival */
	bool has_ok;       /* names end with ".ok", which is not part of them */
};

enum filing_result {
	FILING_FAILED, /* for a reason that may pass; the file is where it was, to be tried again */
	FILING_GONE,   /* there is no such file: somebody has filed it before */
	FILING_FILED,
	FILING_DUPLICATE,   /* it was in its batch already, and is here no longer */
	FILING_QUARANTINED, /* it is in error/ */
};

/* Files dir/name. With walk set it is believed only after its data set was walked to the end. */
enum filing_result filing_file(const struct filing *filing, int dir, const char *name, bool walk);

/* Moves dir/name to error/<label>/ with this reason; logs it and tells the journal. */
enum filing_result filing_quarantine(
	const struct filing *filing, int dir, const char *name, const char *reason);

#endif
