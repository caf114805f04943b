/*
 * acse: the first PDU of an association, A-ASSOCIATE-RQ, and the refusal of it (PS3.8 9.3).
 *
 * Pure functions over bytes; nothing here touches a socket, the disk or the log.
 */
#ifndef ACSE_H
#define ACSE_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

/* ACSE_SYNTAXES: what storescp handles in one context (DCMTK 3.6.7, assoc.h,
 * DICOM_MAXTRANSFERSYNTAXES); it drops the connection on more. ACSE_CONTEXTS: the odd numbers of
 * one byte. ACSE_LONGEST: 128 contexts of 50 UIDs take less than half of it. */
enum {
	ACSE_HEAD = 6,
	ACSE_CONTEXTS = 128,
	ACSE_SYNTAXES = 50,
	ACSE_UID = 64,
	ACSE_LONGEST = 1 << 20,
	ACSE_RJ = 10,
	ACSE_AC_TYPE = 0x02,
	ACSE_TITLE_SIZE = 16 * 4 + 1,
};

/* UIDs are kept as they came, cut at 64 bytes, without the padding (NUL) at their end. One that is
 * not digits and dots is kept as "": it can be neither accepted nor written anywhere. */
struct acse_context {
	char abstract[ACSE_UID + 1];
	char syntax[ACSE_SYNTAXES][ACSE_UID + 1];
	size_t syntax_count;
};

/* Large: allocate it. */
struct acse_request {
	char calling[ACSE_TITLE_SIZE]; /* printable ASCII, other bytes and '\' as \xNN, no padding
					*/
	char called[ACSE_TITLE_SIZE];
	struct acse_context context[ACSE_CONTEXTS];
	size_t context_count;
	size_t bad_uids;
};

/* The length of the whole PDU whose first ACSE_HEAD bytes these are, or 0 when it is no
 * A-ASSOCIATE-RQ or longer than ACSE_LONGEST. */
size_t acse_length(const unsigned char *head);

/* The same of any PDU, without a limit. */
size_t acse_pdu_length(const unsigned char *head);

/* Reads a whole PDU. Returns NULL, or what is wrong with it. *request is valid up to there. */
const char *acse_parse(const unsigned char *pdu, size_t length, struct acse_request *request);

/* Copies a whole A-ASSOCIATE-RQ or A-ASSOCIATE-AC to out, with other transfer syntaxes: those for
 * which other(data, uid) gives a UID. A context that would become longer than 65535 bytes stays as
 * it is. Returns NULL, or what is wrong with the PDU; out->failed when out of memory. */
const char *acse_rename(const unsigned char *pdu, size_t length,
	const char *(*other)(const void *data, const char *uid), const void *data, struct buf *out);

/* An A-ASSOCIATE-RJ's three numbers (PS3.8 9.3.4). */
struct acse_reject {
	uint8_t result, source, reason;
};
void acse_make_reject(struct acse_reject reject, unsigned char pdu[ACSE_RJ]);

#endif
