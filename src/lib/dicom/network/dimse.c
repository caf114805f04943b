#include "dicom/network/dimse.h"

#include <string.h>

enum tag { /* all of group 0000 */
	GROUP_LENGTH = 0x0000,
	AFFECTED_CLASS = 0x0002,
	COMMAND = 0x0100,
	MESSAGE = 0x0110,
	RESPONDED = 0x0120,
	PRIORITY = 0x0700,
	DATA_SET_TYPE = 0x0800,
	STATUS = 0x0900,
	OFFENDING = 0x0901,
	COMMENT = 0x0902,
	AFFECTED_INSTANCE = 0x1000,
};

enum { HEAD = 8, MEDIUM = 0, DATA_SET = 0x0001, NO_DATA_SET = 0x0101 };

static void put(struct buf *out, uint32_t number, int bytes)
{
	unsigned char text[4];

	for (int i = 0; i < bytes; i++)
		text[i] = (unsigned char)(number >> 8 * i);
	buf_add(out, text, (size_t)bytes);
}

static void put_head(struct buf *out, enum tag element, size_t length)
{
	put(out, 0, 2);
	put(out, element, 2);
	put(out, (uint32_t)length, 4);
}

static void put_short(struct buf *out, enum tag element, unsigned int value)
{
	put_head(out, element, 2);
	put(out, value, 2);
}

/* Padded to an even length by a NUL (PS3.5 9.1). */
static void put_uid(struct buf *out, enum tag element, const char *uid)
{
	size_t length = strlen(uid);

	put_head(out, element, length + length % 2);
	buf_add(out, uid, length);
	buf_add(out, "", length % 2);
}

/* (0000,0000) counts the bytes behind its own value. Returns where that stands. */
static size_t begin(struct buf *out)
{
	put_head(out, GROUP_LENGTH, 4);
	put(out, 0, 4);
	return out->length - 4;
}

static void end(struct buf *out, size_t at)
{
	struct buf number = { 0 };

	put(&number, (uint32_t)(out->length - at - 4), 4);
	out->failed = out->failed || number.failed;
	if (!out->failed)
		memcpy(out->data + at, number.data, 4);
	buf_free(&number);
}

void dimse_store_request(
	struct buf *out, uint16_t message, const char *sop_class, const char *instance)
{
	size_t at = begin(out);

	put_uid(out, AFFECTED_CLASS, sop_class);
	put_short(out, COMMAND, DIMSE_STORE);
	put_short(out, MESSAGE, message);
	put_short(out, PRIORITY, MEDIUM);
	put_short(out, DATA_SET_TYPE, DATA_SET);
	put_uid(out, AFFECTED_INSTANCE, instance);
	end(out, at);
}

void dimse_echo_request(struct buf *out, uint16_t message)
{
	size_t at = begin(out);

	put_uid(out, AFFECTED_CLASS, DIMSE_VERIFICATION);
	put_short(out, COMMAND, DIMSE_ECHO);
	put_short(out, MESSAGE, message);
	put_short(out, DATA_SET_TYPE, NO_DATA_SET);
	end(out, at);
}

static uint32_t number(const unsigned char *at, int bytes)
{
	uint32_t n = 0;

	while (bytes-- > 0)
		n = n << 8 | at[bytes];
	return n;
}

/* Text without its padding; more than there is room for is cut. */
static void take_text(const unsigned char *at, size_t length, char *out, size_t size)
{
	while (length > 0 && (at[length - 1] == '\0' || at[length - 1] == ' '))
		length--;
	if (length >= size)
		length = size - 1;
	memcpy(out, at, length);
	out[length] = '\0';
}

static void take_tags(const unsigned char *at, size_t length, struct dimse_response *r)
{
	for (size_t i = 0; i + 4 <= length && r->offending_count < DIMSE_OFFENDING; i += 4)
		r->offending[r->offending_count++] =
			number(at + i, 2) << 16 | number(at + i + 2, 2);
}

/* An element of VR US has one value here (PS3.7 E.1). Returns false for anything else. */
static bool take_short(const unsigned char *at, size_t length, int *value)
{
	if (length != 2)
		return false;
	*value = (int)number(at, 2);
	return true;
}

static bool take(uint32_t element, const unsigned char *at, size_t length, struct dimse_response *r)
{
	switch (element) {
	case COMMAND:
		return take_short(at, length, &r->command);
	case RESPONDED:
		return take_short(at, length, &r->message);
	case DATA_SET_TYPE:
		return take_short(at, length, &r->data_set_type);
	case STATUS:
		return take_short(at, length, &r->status);
	case OFFENDING:
		take_tags(at, length, r);
		break;
	case COMMENT:
		take_text(at, length, r->comment, sizeof(r->comment));
		text_clean(r->comment);
		break;
	case AFFECTED_INSTANCE:
		take_text(at, length, r->instance, sizeof(r->instance));
		break;
	default:
		break;
	}
	return true;
}

const char *dimse_parse(const unsigned char *data, size_t length, struct dimse_response *response)
{
	int64_t last = -1;

	*response = (struct dimse_response){
		.command = -1, .message = -1, .data_set_type = -1, .status = -1
	};
	while (length >= HEAD) {
		const uint32_t tag = number(data, 2) << 16 | number(data + 2, 2);
		const size_t size = number(data + 4, 4);

		if (size > length - HEAD)
			return "an element of the command set is longer than what is there";
		if (tag <= last)
			return "its elements are not in the order of their tags";
		last = tag;
		if (!take(tag, data + HEAD, size, response)) /* of another group: it fits nothing */
			return "a number in it is not of two bytes";
		data += HEAD + size;
		length -= HEAD + size;
	}
	return length > 0 ? "the command set ends inside an element" : NULL;
}

bool dimse_refuses(const struct dimse_response *response)
{
	const int status = response->status;

	switch (status >> 12) {
	case 0xa:
	case 0xc:
		return true;
	case 0:
		return (status >> 8 == 1 && status != 0x0107 && status != 0x0116) ||
		       status >> 8 == 2;
	default:
		return false;
	}
}

bool dimse_has_data(const struct dimse_response *response)
{
	return response->data_set_type >= 0 && response->data_set_type != NO_DATA_SET;
}
