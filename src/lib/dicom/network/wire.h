/*
 * wire: what the protocol data units of the DICOM upper layer are made of (PS3.8 9.3): numbers,
 * which are big endian there, items, UIDs and AE titles.
 *
 * Pure functions over bytes; nothing here touches a socket, the disk or the log.
 */
#ifndef WIRE_H
#define WIRE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_pdu {
	WIRE_ASSOCIATE_RQ = 1,
	WIRE_ASSOCIATE_AC = 2,
	WIRE_ASSOCIATE_RJ = 3,
	WIRE_DATA = 4,
	WIRE_RELEASE_RQ = 5,
	WIRE_RELEASE_RP = 6,
	WIRE_ABORT = 7,
};

enum wire_item { /* PS3.8 9.3.2, 9.3.3, D.1; PS3.7 D.3.3 */
	WIRE_APPLICATION = 0x10,
	WIRE_CONTEXT = 0x20,
	WIRE_RESULT = 0x21,
	WIRE_ABSTRACT = 0x30,
	WIRE_SYNTAX = 0x40,
	WIRE_USER = 0x50,
	WIRE_MAXIMUM = 0x51,
	WIRE_CLASS_UID = 0x52,
	WIRE_VERSION = 0x55,
};

enum {
	WIRE_HEAD = 6,       /* of a PDU: type, 00, length */
	WIRE_SHORT = 10,     /* a whole A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP or A-ABORT */
	WIRE_FIXED = 68,     /* of an A-ASSOCIATE-RQ or -AC, behind the head, before its items */
	WIRE_TITLE = 16,     /* of an AE title, padded with blanks */
	WIRE_UID = 64,       /* PS3.5 9.1 */
	WIRE_CONTEXTS = 128, /* the odd numbers of one byte */
	WIRE_ITEM_LONGEST = 0xffff,
	WIRE_TITLE_SIZE = WIRE_TITLE * 4 + 1,
	WIRE_PDV_HEAD = 6, /* length, number of the context, control header */
};

#define WIRE_APPLICATION_UID "1.2.840.10008.3.1.1.1"

enum { WIRE_COMMAND = 1, WIRE_LAST = 2 }; /* control header, PS3.8 E.2: its other bits are 0 */

/* Bytes that are looked at: a view of a PDU or of an item. */
struct wire_view {
	const unsigned char *at;
	size_t left;
};

uint32_t wire_number(const unsigned char *at, int bytes);
void wire_put(struct buf *out, uint32_t number, int bytes);

/* Takes the next item (type, 00, length, content) off v. False when v does not hold it whole. */
bool wire_take(struct wire_view *v, unsigned int *type, struct wire_view *item);
void wire_put_item(struct buf *out, unsigned int type, const void *content, size_t length);

/* A PDU's head with the length 0, and that length once the PDU is whole. */
void wire_begin(struct buf *out, enum wire_pdu type);
void wire_end(struct buf *out, size_t begin);
/* The whole of a short PDU, with its last four bytes. */
void wire_short(unsigned char out[WIRE_SHORT], enum wire_pdu type, const unsigned char last[4]);

/* A UID, which has no padding there; that of peers who pad (NUL, blank) is left out. False, and "",
 * for one that is not 1 to 64 digits and dots. */
bool wire_uid(struct wire_view item, char out[WIRE_UID + 1]);

/* An AE title without the blanks around it; bytes that are none of printable ASCII and '\' as \xNN.
 */
void wire_title(const unsigned char field[WIRE_TITLE], char out[WIRE_TITLE_SIZE]);
/* Pads with blanks; the caller has seen to it that there are no more than 16 characters. */
void wire_put_title(struct buf *out, const char *title);

/* A presentation data value (PS3.8 9.3.5.1). */
struct wire_pdv {
	uint8_t context, control;
	struct wire_view data;
};
/* Takes the next one off the content of a P-DATA-TF PDU. False when v does not hold it whole. */
bool wire_take_pdv(struct wire_view *v, struct wire_pdv *pdv);
/* The head of a P-DATA-TF PDU of one value of so many bytes. */
enum { WIRE_DATA_HEAD = WIRE_HEAD + WIRE_PDV_HEAD };
void wire_data_head(
	unsigned char out[WIRE_DATA_HEAD], uint8_t context, uint8_t control, size_t length);

#endif
