#include "dicom/network/acceptor.h"

#include <stdbool.h>
#include <string.h>

enum { /* offsets in the whole PDU */
	OFFSET_CALLED = WIRE_HEAD + 4,
	OFFSET_CALLING = OFFSET_CALLED + WIRE_TITLE,
	OFFSET_ITEMS = WIRE_HEAD + WIRE_FIXED,
	CONTEXT_HEAD = 4, /* its number and three bytes more */
};

size_t acceptor_pdu_length(const unsigned char *head)
{
	return (size_t)wire_number(head + 2, 4) + WIRE_HEAD;
}

size_t acceptor_length(const unsigned char *head)
{
	size_t length = acceptor_pdu_length(head);

	return head[0] != WIRE_ASSOCIATE_RQ || length > ACCEPTOR_LONGEST ? 0 : length;
}

static const char *read_context(struct wire_view v, struct acceptor_request *request)
{
	struct acceptor_context *context = &request->context[request->context_count];
	struct wire_view item;
	unsigned int type;

	if (request->context_count == WIRE_CONTEXTS)
		return "more than 128 presentation contexts";
	if (v.left < CONTEXT_HEAD)
		return "a presentation context is cut off";
	v.at += CONTEXT_HEAD;
	v.left -= CONTEXT_HEAD;
	memset(context, 0, sizeof(*context));
	while (v.left > 0) {
		if (!wire_take(&v, &type, &item))
			return "a presentation context is cut off";
		if (type == WIRE_ABSTRACT) {
			request->bad_uids += !wire_uid(item, context->abstract);
		} else if (type == WIRE_SYNTAX) {
			if (context->syntax_count == ACCEPTOR_SYNTAXES)
				return "more than 50 transfer syntaxes in one presentation context";
			request->bad_uids +=
				!wire_uid(item, context->syntax[context->syntax_count++]);
		}
	}
	request->context_count++;
	return NULL;
}

const char *acceptor_parse(
	const unsigned char *pdu, size_t length, struct acceptor_request *request)
{
	struct wire_view v, item;
	const char *wrong = NULL;
	unsigned int type;

	request->calling[0] = request->called[0] = '\0';
	request->context_count = request->bad_uids = 0;
	if (length < OFFSET_ITEMS)
		return "the A-ASSOCIATE-RQ is too short";
	wire_title(pdu + OFFSET_CALLED, request->called);
	wire_title(pdu + OFFSET_CALLING, request->calling);
	v = (struct wire_view){ pdu + OFFSET_ITEMS, length - OFFSET_ITEMS };
	while (!wrong && v.left > 0) {
		if (!wire_take(&v, &type, &item))
			wrong = "an item of the A-ASSOCIATE-RQ is cut off";
		else if (type == WIRE_CONTEXT)
			wrong = read_context(item, request);
	}
	return wrong;
}

/* A context of either PDU, the syntaxes renamed. */
static const char *rename_context(struct wire_view v, unsigned int context_type,
	const char *(*other)(const void *data, const char *uid), const void *data, struct buf *out)
{
	const struct wire_view whole = v;
	const char *wrong = NULL, *name;
	struct buf inner = { 0 };
	char uid[WIRE_UID + 1];
	struct wire_view item;
	unsigned int type;

	if (v.left < CONTEXT_HEAD)
		return "a presentation context is cut off";
	buf_add(&inner, v.at, CONTEXT_HEAD);
	v.at += CONTEXT_HEAD;
	v.left -= CONTEXT_HEAD;
	while (!wrong && v.left > 0) {
		if (!wire_take(&v, &type, &item))
			wrong = "a presentation context is cut off";
		else if (type == WIRE_SYNTAX && wire_uid(item, uid) && (name = other(data, uid)))
			wire_put_item(&inner, type, name, strlen(name));
		else
			wire_put_item(&inner, type, item.at, item.left);
	}
	if (inner.failed)
		out->failed = true;
	else if (inner.length <= WIRE_ITEM_LONGEST)
		wire_put_item(out, context_type, inner.data, inner.length);
	else
		wire_put_item(out, context_type, whole.at, whole.left);
	buf_free(&inner);
	return wrong;
}

const char *acceptor_rename(const unsigned char *pdu, size_t length,
	const char *(*other)(const void *data, const char *uid), const void *data, struct buf *out)
{
	struct wire_view v, item;
	const char *wrong = NULL;
	const size_t begin = out->length;
	unsigned int type;

	if (length < OFFSET_ITEMS)
		return "the PDU is too short";
	buf_add(out, pdu, OFFSET_ITEMS);
	v = (struct wire_view){ pdu + OFFSET_ITEMS, length - OFFSET_ITEMS };
	while (!wrong && v.left > 0) {
		if (!wire_take(&v, &type, &item))
			wrong = "an item is cut off";
		else if (type == WIRE_CONTEXT || type == WIRE_RESULT)
			wrong = rename_context(item, type, other, data, out);
		else
			wire_put_item(out, type, item.at, item.left);
	}
	wire_end(out, begin);
	return wrong;
}

void acceptor_make_reject(struct acceptor_reject reject, unsigned char pdu[WIRE_SHORT])
{
	const unsigned char last[4] = { 0, reject.result, reject.source, reject.reason };

	wire_short(pdu, WIRE_ASSOCIATE_RJ, last);
}
