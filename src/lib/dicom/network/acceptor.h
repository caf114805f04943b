/*
 * acceptor: an association as the one who accepts it sees it: A-ASSOCIATE-RQ and the refusal of it
 * (PS3.8 9.3.2, 9.3.4, 9.3.8).
 *
 * Pure functions over bytes; nothing here touches a socket, the disk or the log.
 */
#ifndef ACCEPTOR_H
#define ACCEPTOR_H

#include "dicom/network/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ACCEPTOR_SYNTAXES: what storescp handles in one context (DCMTK 3.6.7, assoc.h,
 * DICOM_MAXTRANSFERSYNTAXES); it drops the connection on more. WIRE_CONTEXTS: the odd numbers of
 * one byte. ACCEPTOR_LONGEST: 128 contexts of 50 UIDs take less than half of it. */
enum { ACCEPTOR_SYNTAXES = 50, ACCEPTOR_LONGEST = 1 << 20 };

/* UIDs are kept as they came, cut at 64 bytes, without the padding (NUL) at their end. One that is
 * not digits and dots is kept as "": it can be neither accepted nor written anywhere. */
struct acceptor_context {
	char abstract[WIRE_UID + 1];
	char syntax[ACCEPTOR_SYNTAXES][WIRE_UID + 1];
	size_t syntax_count;
};

/* Large: allocate it. */
struct acceptor_request {
	char calling[WIRE_TITLE_SIZE]; /* printable ASCII, other bytes and '\' as \xNN, no padding
					*/
	char called[WIRE_TITLE_SIZE];
	struct acceptor_context context[WIRE_CONTEXTS];
	size_t context_count;
	size_t bad_uids;
	/* For acceptor_judge(). */
	unsigned int version;       /* bits; bit 0 is the only one that exists */
	bool application;           /* it names DICOM's application context */
	size_t applications, users; /* such items */
	size_t incomplete;          /* contexts without an abstract or a transfer syntax */
	bool too_many;              /* transfer syntaxes in a context; the rest is left out */
};

/* An A-ASSOCIATE-RJ's three numbers (PS3.8 9.3.4), or an A-ABORT. */
struct acceptor_reject {
	uint8_t result, source, reason;
};
#define ACCEPTOR_ABORT                                                                             \
	{                                                                                          \
		0, 0, 0                                                                            \
	}

/* Why a caller is refused: what he is told, and what the log and the journal are told. */
struct acceptor_refusal {
	struct acceptor_reject reject;
	const char *reason;
};

/* The length of the whole PDU whose first WIRE_HEAD bytes these are, or 0 when it is no
 * A-ASSOCIATE-RQ or longer than ACCEPTOR_LONGEST. */
size_t acceptor_length(const unsigned char *head);

/* The same of any PDU, without a limit. */
size_t acceptor_pdu_length(const unsigned char *head);

/* Reads a whole PDU. Returns NULL, or what is wrong with it. *request is valid up to there. */
const char *acceptor_parse(
	const unsigned char *pdu, size_t length, struct acceptor_request *request);

/* Copies a whole A-ASSOCIATE-RQ or A-ASSOCIATE-AC to out, with other transfer syntaxes: those for
 * which other(data, uid) gives a UID. A context that would become longer than 65535 bytes stays as
 * it is. Returns NULL, or what is wrong with the PDU; out->failed when out of memory. */
const char *acceptor_rename(const unsigned char *pdu, size_t length,
	const char *(*other)(const void *data, const char *uid), const void *data, struct buf *out);

/* What every acceptor refuses of a request that could be read, NULL when there is nothing: storescp
 * (DCMTK 3.6.7) would leave some of it without an answer. What PS3.8 9.3.2 demands and is not there
 * makes an invalid PDU: A-ABORT (9.2.3, table 9-10, AA-1). */
const struct acceptor_refusal *acceptor_judge(const struct acceptor_request *request);

/* The PDU that says so. */
void acceptor_make_refusal(struct acceptor_reject reject, unsigned char pdu[WIRE_SHORT]);

#endif
