#include "dicom/network/associate.h"

#include <stdio.h>
#include <string.h>

#include "dicom/implementation.h"

enum { PROTOCOL_1 = 1, LONGEST_UNTOLD = 16384 /* what most take */ };

void associate_make_request(struct buf *out, const char *called, const char *calling,
	const struct associate_proposal *proposal, size_t count, uint32_t longest)
{
	static const unsigned char reserved[32];
	struct buf inner = { 0 };
	size_t begin = out->length;

	wire_begin(out, WIRE_ASSOCIATE_RQ);
	wire_put(out, PROTOCOL_1 << 16, 4);
	wire_put_title(out, called);
	wire_put_title(out, calling);
	buf_add(out, reserved, sizeof(reserved));
	wire_put_item(out, WIRE_APPLICATION, WIRE_APPLICATION_UID, strlen(WIRE_APPLICATION_UID));
	for (size_t i = 0; i < count; i++) {
		inner.length = 0;
		wire_put(&inner, (uint32_t)associate_context(i) << 24, 4);
		wire_put_item(
			&inner, WIRE_ABSTRACT, proposal[i].abstract, strlen(proposal[i].abstract));
		wire_put_item(&inner, WIRE_SYNTAX, proposal[i].syntax, strlen(proposal[i].syntax));
		wire_put_item(out, WIRE_CONTEXT, inner.data, inner.length);
	}
	/* Neither an asynchronous window nor roles: absent, they mean one operation at a time, with
	 * us as the SCU (PS3.7 D.3.3.3, D.3.3.4). */
	inner.length = 0;
	wire_put(&inner, WIRE_MAXIMUM << 24 | 4, 4);
	wire_put(&inner, longest, 4);
	wire_put_item(
		&inner, WIRE_CLASS_UID, DICOM_IMPLEMENTATION_UID, strlen(DICOM_IMPLEMENTATION_UID));
	wire_put_item(&inner, WIRE_VERSION, DICOM_IMPLEMENTATION_VERSION,
		strlen(DICOM_IMPLEMENTATION_VERSION));
	wire_put_item(out, WIRE_USER, inner.data, inner.length);
	wire_end(out, begin);
	out->failed = out->failed || inner.failed;
	buf_free(&inner);
}

/* The transfer syntax of a context that was refused means nothing, and one that was never proposed
 * is no acceptance (PS3.8 9.3.3.2, Table 9-18). */
static const char *read_result(struct wire_view v, const struct associate_proposal *proposal,
	size_t count, struct associate_answer *answer)
{
	char syntax[WIRE_UID + 1] = "";
	struct wire_view item;
	unsigned int type, number, result;
	size_t index;

	if (v.left < 4)
		return "a presentation context is cut off";
	number = v.at[0];
	result = v.at[2];
	index = number / 2;
	if (number % 2 == 0 || index >= count)
		return "it answers a presentation context that was not proposed";
	v.at += 4;
	v.left -= 4;
	while (v.left > 0) {
		if (!wire_take(&v, &type, &item))
			return "a presentation context is cut off";
		if (type == WIRE_SYNTAX)
			(void)wire_uid(item, syntax); /* "" is none that was proposed */
	}
	answer->accepted[index] = result == 0 && strcmp(syntax, proposal[index].syntax) == 0;
	return NULL;
}

static const char *read_user(struct wire_view v, struct associate_answer *answer)
{
	struct wire_view item;
	unsigned int type;

	while (v.left > 0) {
		if (!wire_take(&v, &type, &item))
			return "its user information is cut off";
		if (type == WIRE_MAXIMUM && item.left >= 4)
			answer->longest = wire_number(item.at, 4);
	}
	return NULL;
}

/* Of DICOM there is one application context (PS3.7 A.2.1); another one is another protocol. */
static const char *read_application(struct wire_view item)
{
	char uid[WIRE_UID + 1];

	return wire_uid(item, uid) && strcmp(uid, WIRE_APPLICATION_UID) == 0
		       ? NULL
		       : "it is of another application context";
}

const char *associate_parse_accept(const unsigned char *content, size_t length,
	const struct associate_proposal *proposal, size_t count, struct associate_answer *answer)
{
	struct wire_view v, item;
	const char *wrong = NULL;
	unsigned int type;

	*answer = (struct associate_answer){ .longest = LONGEST_UNTOLD };
	if (length < WIRE_FIXED)
		return "it is too short";
	if (!(wire_number(content, 2) & PROTOCOL_1))
		return "it is of another version of the protocol";
	v = (struct wire_view){ content + WIRE_FIXED, length - WIRE_FIXED };
	while (!wrong && v.left > 0) {
		if (!wire_take(&v, &type, &item))
			wrong = "an item is cut off";
		else if (type == WIRE_APPLICATION)
			wrong = read_application(item);
		else if (type == WIRE_RESULT)
			wrong = read_result(item, proposal, count, answer);
		else if (type == WIRE_USER)
			wrong = read_user(item, answer);
	}
	return wrong;
}

struct word {
	unsigned int source, reason;
	const char *text;
};

static const char *find(const struct word *words, unsigned int source, unsigned int reason)
{
	while (words->text && (words->source != source || words->reason != reason))
		words++;
	return words->text;
}

void associate_reject_text(const unsigned char content[4], bool *for_now, char *out, size_t size)
{
	static const struct word words[] = {
		{ 1, 1, "no reason given" },
		{ 1, 2, "application context name not supported" },
		{ 1, 3, "calling AE title not recognised" },
		{ 1, 7, "called AE title not recognised" },
		{ 2, 1, "no reason given" },
		{ 2, 2, "protocol version not supported" },
		{ 3, 1, "temporary congestion" },
		{ 3, 2, "local limit exceeded" },
		{ 0, 0, NULL },
	};
	const char *text = find(words, content[2], content[3]);

	char other[40];

	*for_now = content[1] == 2;
	(void)snprintf(other, sizeof(other), "source %u, reason %u", content[2], content[3]);
	(void)snprintf(out, size, "the target rejects the association%s: %s",
		*for_now ? " for now" : "", text ? text : other);
}

void associate_abort_text(const unsigned char content[4], char *out, size_t size)
{
	static const struct word words[] = {
		{ 2, 1, ": unrecognised PDU" },
		{ 2, 2, ": unexpected PDU" },
		{ 2, 4, ": unrecognised PDU parameter" },
		{ 2, 5, ": unexpected PDU parameter" },
		{ 2, 6, ": invalid PDU parameter value" },
		{ 0, 0, NULL },
	};
	const char *text = find(words, content[2], content[3]); /* counts only for source 2 */

	(void)snprintf(out, size, "the target aborts the association%s", text ? text : "");
}
