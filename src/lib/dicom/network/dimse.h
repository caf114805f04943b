/*
 * dimse: the command sets of C-STORE and C-ECHO (PS3.7 6.3, 9.3.1, 9.3.5, Annex E): always implicit
 * VR little endian, in the order of their tags.
 *
 * Pure functions over bytes; nothing here touches a socket, the disk or the log.
 */
#ifndef DIMSE_H
#define DIMSE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIMSE_VERIFICATION "1.2.840.10008.1.1"

enum { DIMSE_STORE = 0x0001, DIMSE_ECHO = 0x0030, DIMSE_RESPONSE = 0x8000 };
enum { DIMSE_COMMENT = 64, DIMSE_OFFENDING = 8, DIMSE_UID = 64 };

void dimse_store_request(
	struct buf *out, uint16_t message, const char *sop_class, const char *instance);
void dimse_echo_request(struct buf *out, uint16_t message);

/* What a response says. UIDs and comment are "" when absent, and the comment is clean: one line of
 * UTF-8. */
struct dimse_response {
	int command, message, data_set_type, status; /* -1: absent */
	char instance[DIMSE_UID + 1];
	char comment[DIMSE_COMMENT + 1];
	uint32_t offending[DIMSE_OFFENDING]; /* tags, group << 16 | element */
	size_t offending_count;
};

/* Reads a whole command set. Surplus elements and a wrong group length do no harm; what ends inside
 * an element does, and so does whatever could be read in two ways: a tag that is not greater than
 * the one before (PS3.7 6.3.1), a number of another length. Returns NULL, or what is wrong. */
const char *dimse_parse(const unsigned char *data, size_t length, struct dimse_response *response);

/* Is its status one of failure (PS3.7 C.1)? */
bool dimse_refuses(const struct dimse_response *response);

/* True when a data set follows. */
bool dimse_has_data(const struct dimse_response *response);

#endif
