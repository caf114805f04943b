#include "acse.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { /* item types, PS3.8 9.3.2 */
	PDU_RQ = 0x01,
	PDU_RJ = 0x03,
	ITEM_CONTEXT = 0x20,
	ITEM_RESULT = 0x21,
	ITEM_ABSTRACT = 0x30,
	ITEM_SYNTAX = 0x40,
};

enum { /* offsets in the PDU */
	OFFSET_CALLED = 10,
	OFFSET_CALLING = 26,
	OFFSET_LENGTH = 2,
	OFFSET_ITEMS = 74,
	CONTEXT_HEAD = 4, /* its number and three bytes more */
	ITEM_LONGEST = 0xffff,
	TITLE = 16,
};

/* The bytes of an item: a view of the PDU. */
struct view {
	const unsigned char *at;
	size_t left;
};

size_t acse_pdu_length(const unsigned char *head)
{
	return ((size_t)head[2] << 24 | (size_t)head[3] << 16 | (size_t)head[4] << 8 | head[5]) +
	       ACSE_HEAD;
}

size_t acse_length(const unsigned char *head)
{
	size_t length = acse_pdu_length(head);

	return head[0] != PDU_RQ || length > ACSE_LONGEST ? 0 : length;
}

static void read_title(const unsigned char *field, char out[ACSE_TITLE_SIZE])
{
	size_t first = 0, end = strnlen((const char *)field, TITLE), n = 0;

	while (end > 0 && field[end - 1] == ' ')
		end--;
	while (first < end && field[first] == ' ')
		first++;
	for (; first < end; first++) {
		bool plain = field[first] >= 0x20 && field[first] < 0x7f && field[first] != '\\';

		n += (size_t)snprintf(
			out + n, ACSE_TITLE_SIZE - n, plain ? "%c" : "\\x%02x", field[first]);
	}
	out[n] = '\0';
}

static bool read_uid(struct view item, char out[ACSE_UID + 1])
{
	out[0] = '\0';
	while (item.left > 0 && item.at[item.left - 1] == '\0')
		item.left--;
	if (item.left == 0 || item.left > ACSE_UID)
		return false;
	for (size_t i = 0; i < item.left; i++)
		if (item.at[i] != '.' && (item.at[i] < '0' || item.at[i] > '9'))
			return false;
	memcpy(out, item.at, item.left);
	out[item.left] = '\0';
	return true;
}

/* Takes the next item (type, reserved, length, content) off v. False when v does not hold it
 * whole. */
static bool take(struct view *v, unsigned int *type, struct view *item)
{
	size_t length;

	if (v->left < 4)
		return false;
	length = (size_t)v->at[2] << 8 | v->at[3];
	if (v->left - 4 < length)
		return false;
	*type = v->at[0];
	*item = (struct view){ v->at + 4, length };
	v->at += 4 + length;
	v->left -= 4 + length;
	return true;
}

static const char *read_context(struct view v, struct acse_request *request)
{
	struct acse_context *context = &request->context[request->context_count];
	struct view item;
	unsigned int type;

	if (request->context_count == ACSE_CONTEXTS)
		return "more than 128 presentation contexts";
	if (v.left < CONTEXT_HEAD)
		return "a presentation context is cut off";
	v.at += CONTEXT_HEAD;
	v.left -= CONTEXT_HEAD;
	memset(context, 0, sizeof(*context));
	while (v.left > 0) {
		if (!take(&v, &type, &item))
			return "a presentation context is cut off";
		if (type == ITEM_ABSTRACT) {
			request->bad_uids += !read_uid(item, context->abstract);
		} else if (type == ITEM_SYNTAX) {
			if (context->syntax_count == ACSE_SYNTAXES)
				return "more than 50 transfer syntaxes in one presentation context";
			request->bad_uids +=
				!read_uid(item, context->syntax[context->syntax_count++]);
		}
	}
	request->context_count++;
	return NULL;
}

const char *acse_parse(const unsigned char *pdu, size_t length, struct acse_request *request)
{
	struct view v, item;
	const char *wrong = NULL;
	unsigned int type;

	request->calling[0] = request->called[0] = '\0';
	request->context_count = request->bad_uids = 0;
	if (length < OFFSET_ITEMS)
		return "the A-ASSOCIATE-RQ is too short";
	read_title(pdu + OFFSET_CALLED, request->called);
	read_title(pdu + OFFSET_CALLING, request->calling);
	v = (struct view){ pdu + OFFSET_ITEMS, length - OFFSET_ITEMS };
	while (!wrong && v.left > 0) {
		if (!take(&v, &type, &item))
			wrong = "an item of the A-ASSOCIATE-RQ is cut off";
		else if (type == ITEM_CONTEXT)
			wrong = read_context(item, request);
	}
	return wrong;
}

static void put_item(struct buf *out, unsigned int type, const void *content, size_t length)
{
	const unsigned char head[4] = { (unsigned char)type, 0, (unsigned char)(length >> 8),
		(unsigned char)length };

	buf_add(out, head, sizeof(head));
	buf_add(out, content, length);
}

/* A context of either PDU, the syntaxes renamed. */
static const char *rename_context(struct view v, unsigned int context_type,
	const char *(*other)(const void *data, const char *uid), const void *data, struct buf *out)
{
	const struct view whole = v;
	const char *wrong = NULL, *name;
	struct buf inner = { 0 };
	char uid[ACSE_UID + 1];
	struct view item;
	unsigned int type;

	if (v.left < CONTEXT_HEAD)
		return "a presentation context is cut off";
	buf_add(&inner, v.at, CONTEXT_HEAD);
	v.at += CONTEXT_HEAD;
	v.left -= CONTEXT_HEAD;
	while (!wrong && v.left > 0) {
		if (!take(&v, &type, &item))
			wrong = "a presentation context is cut off";
		else if (type == ITEM_SYNTAX && read_uid(item, uid) && (name = other(data, uid)))
			put_item(&inner, type, name, strlen(name));
		else
			put_item(&inner, type, item.at, item.left);
	}
	if (inner.failed)
		out->failed = true;
	else if (inner.length <= ITEM_LONGEST)
		put_item(out, context_type, inner.data, inner.length);
	else
		put_item(out, context_type, whole.at, whole.left);
	buf_free(&inner);
	return wrong;
}

const char *acse_rename(const unsigned char *pdu, size_t length,
	const char *(*other)(const void *data, const char *uid), const void *data, struct buf *out)
{
	struct view v, item;
	const char *wrong = NULL;
	unsigned int type;

	if (length < OFFSET_ITEMS)
		return "the PDU is too short";
	buf_add(out, pdu, OFFSET_ITEMS);
	v = (struct view){ pdu + OFFSET_ITEMS, length - OFFSET_ITEMS };
	while (!wrong && v.left > 0) {
		if (!take(&v, &type, &item))
			wrong = "an item is cut off";
		else if (type == ITEM_CONTEXT || type == ITEM_RESULT)
			wrong = rename_context(item, type, other, data, out);
		else
			put_item(out, type, item.at, item.left);
	}
	if (!out->failed)
		for (int i = 0; i < 4; i++)
			out->data[OFFSET_LENGTH + i] =
				(char)((out->length - ACSE_HEAD) >> (24 - 8 * i));
	return wrong;
}

void acse_make_reject(struct acse_reject reject, unsigned char pdu[ACSE_RJ])
{
	const unsigned char bytes[ACSE_RJ] = { PDU_RJ, 0, 0, 0, 0, 4, 0, reject.result,
		reject.source, reject.reason };

	memcpy(pdu, bytes, ACSE_RJ);
}
