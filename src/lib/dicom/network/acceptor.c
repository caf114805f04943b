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
	size_t abstracts = 0;

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
			abstracts++;
			request->bad_uids += !wire_uid(item, context->abstract);
		} else if (type == WIRE_SYNTAX) {
			if (context->syntax_count == ACCEPTOR_SYNTAXES) {
				request->too_many = true;
				continue;
			}
			request->bad_uids +=
				!wire_uid(item, context->syntax[context->syntax_count++]);
		}
	}
	request->context_count++;
	request->incomplete += abstracts == 0 || context->syntax_count == 0;
	return NULL;
}

static bool is_dicom(struct wire_view item)
{
	char uid[WIRE_UID + 1];

	return wire_uid(item, uid) && strcmp(uid, WIRE_APPLICATION_UID) == 0;
}

const char *acceptor_parse(
	const unsigned char *pdu, size_t length, struct acceptor_request *request)
{
	struct wire_view v, item;
	const char *wrong = NULL;
	unsigned int type;

	request->calling[0] = request->called[0] = '\0';
	request->context_count = request->bad_uids = request->incomplete = 0;
	request->applications = request->users = 0;
	request->application = request->too_many = false;
	if (length < OFFSET_ITEMS)
		return "the A-ASSOCIATE-RQ is too short";
	request->version = wire_number(pdu + WIRE_HEAD, 2);
	wire_title(pdu + OFFSET_CALLED, request->called);
	wire_title(pdu + OFFSET_CALLING, request->calling);
	v = (struct wire_view){ pdu + OFFSET_ITEMS, length - OFFSET_ITEMS };
	while (!wrong && v.left > 0) {
		if (!wire_take(&v, &type, &item))
			wrong = "an item of the A-ASSOCIATE-RQ is cut off";
		else if (type == WIRE_CONTEXT)
			wrong = read_context(item, request);
		else if (type == WIRE_APPLICATION && request->applications++ == 0)
			request->application = is_dicom(item);
		else if (type == WIRE_USER)
			request->users++;
	}
	return wrong;
}

const struct acceptor_refusal *acceptor_judge(const struct acceptor_request *r)
{
	static const struct acceptor_refusal no_version = { { 1, 2, 2 },
		"it wants another version of the protocol than 1" };
	static const struct acceptor_refusal no_application = { { 1, 1, 2 },
		"its application context is not DICOM's" };
	static const struct acceptor_refusal no_item = { ACCEPTOR_ABORT,
		"the A-ASSOCIATE-RQ has no application context or no user information" };
	static const struct acceptor_refusal no_context = { ACCEPTOR_ABORT,
		"the A-ASSOCIATE-RQ proposes no presentation context" };
	static const struct acceptor_refusal too_many = { { 1, 1, 1 },
		"more than 50 transfer syntaxes in one presentation context" };
	static const struct acceptor_refusal incomplete = { ACCEPTOR_ABORT,
		"a presentation context has no abstract syntax or no transfer syntax" };

	if (!(r->version & 1))
		return &no_version;
	if (r->applications == 0 || r->users == 0)
		return &no_item;
	if (!r->application)
		return &no_application;
	if (r->context_count == 0)
		return &no_context;
	if (r->incomplete > 0)
		return &incomplete;
	return r->too_many ? &too_many : NULL;
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

void acceptor_make_refusal(struct acceptor_reject reject, unsigned char pdu[WIRE_SHORT])
{
	const unsigned char last[4] = { 0, reject.result, reject.source, reject.reason };

	/* The last two of an A-ABORT: by the service-user (AA-1), where the reason means nothing.
	 */
	wire_short(pdu, reject.result ? WIRE_ASSOCIATE_RJ : WIRE_ABORT, last);
}
