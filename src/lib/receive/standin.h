/*
 * standin: transfer syntaxes that storescp does not know come in under the names of others.
 *
 * storescp never looks into the data set (+B), it only writes the UID of the transfer syntax into
 * the file, and refuses to when it does not know it. So such a UID is replaced in the request by
 * that of an encapsulated one, explicit little endian, which the sender proposes nowhere in this
 * association: its stand-in; and back in the answer. getdcmtags puts the real UID into the files:
 * "stand_ins" in association.json tells it.
 *
 * Only presentation contexts need them that propose nothing else: what comes in under a stand-in,
 * few targets take. There are STAND_INS_MAX of them, less those that the sender
 * proposes. They are given to the syntaxes in the order of their appearance; those for which none
 * is left are refused.
 */
#ifndef STANDIN_H
#define STANDIN_H

#include "dicom/network/acceptor.h"
#include "conf/conf.h"
#include "base/str.h"

#include <stdbool.h>

enum { STAND_INS_MAX = 34 };

struct stand_ins {
	struct {
		const char *stand_in;
		char real[WIRE_UID + 1];
	} pair[STAND_INS_MAX];
	size_t count; /* 0: nothing has to be done */
};

/* Chooses them for a request. conf accepting only uncompressed syntaxes needs none. */
void standin_choose(
	const struct acceptor_request *request, enum conf_accept accept, struct stand_ins *out);

/* Is it one of these stand-ins? s may be NULL. */
bool standin_is(const struct stand_ins *s, const char *uid);

/* The request for storescp, and the answer for the sender; results as acceptor_rename()'s. */
const char *standin_request(
	const struct stand_ins *s, const unsigned char *pdu, size_t length, struct buf *out);
const char *standin_answer(
	const struct stand_ins *s, const unsigned char *pdu, size_t length, struct buf *out);

#endif
