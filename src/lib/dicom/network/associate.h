/*
 * associate: an association as the one who requests it sees it: A-ASSOCIATE-RQ, -AC and -RJ and
 * A-ABORT (PS3.8 9.3.2 to 9.3.4, 9.3.8).
 *
 * Pure functions over bytes; nothing here touches a socket, the disk or the log.
 */
#ifndef ASSOCIATE_H
#define ASSOCIATE_H

#include "dicom/network/wire.h"

/* One presentation context has one transfer syntax: with several, the acceptor chooses for us. The
 * n-th has the number 2n + 1. */
struct associate_proposal {
	const char *abstract, *syntax;
};

static inline uint8_t associate_context(size_t index)
{
	return (uint8_t)(2 * index + 1);
}

/* Adds the whole PDU. At most WIRE_CONTEXTS proposals; longest is that of the PDUs that we take. */
void associate_make_request(struct buf *out, const char *called, const char *calling,
	const struct associate_proposal *proposal, size_t count, uint32_t longest);

struct associate_answer {
	bool accepted[WIRE_CONTEXTS]; /* by index; in the syntax that was proposed */
	uint32_t longest;             /* PDU that the acceptor takes; 0: any */
};

/* Reads the content of an A-ASSOCIATE-AC, without the PDU's head. Returns NULL, or what is wrong
 * with it. */
const char *associate_parse_accept(const unsigned char *content, size_t length,
	const struct associate_proposal *proposal, size_t count, struct associate_answer *answer);

/* A rejection (PS3.8 Table 9-21) in words; the content is four bytes. for_now: the target may take
 * the next association. */
void associate_reject_text(const unsigned char content[4], bool *for_now, char *out, size_t size);
/* An abort (PS3.8 Table 9-26) in words. */
void associate_abort_text(const unsigned char content[4], char *out, size_t size);

#endif
