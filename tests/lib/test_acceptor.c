/* acceptor: requests that can be read, and what of them is refused. */
#include "tap.h"

#include "dicom/network/acceptor.h"

#include <string.h>

enum { APPLICATION = 1, CONTEXT = 2, USER = 4, ALL = 7 };

static const char context[] = "\1\0\0\0"
			      "\x30\0\0\x19"
			      "1.2.840.10008.5.1.4.1.1.2"
			      "\x40\0\0\x11"
			      "1.2.840.10008.1.2";

/* A request of these items, a context of the first bytes only, and what is said to it. */
static const struct acceptor_refusal *judged(
	int items, size_t bytes, const char *application, unsigned int version)
{
	static struct acceptor_request request;
	struct buf pdu = { 0 };
	const char *wrong;

	wire_begin(&pdu, WIRE_ASSOCIATE_RQ);
	wire_put(&pdu, version << 16, 4);
	wire_put_title(&pdu, "A");
	wire_put_title(&pdu, "B");
	wire_put_title(&pdu, "");
	wire_put_title(&pdu, "");
	if (items & APPLICATION)
		wire_put_item(&pdu, WIRE_APPLICATION, application, strlen(application));
	if (items & CONTEXT)
		wire_put_item(&pdu, WIRE_CONTEXT, context, bytes);
	if (items & USER)
		wire_put_item(&pdu, WIRE_USER, "", 0);
	wire_end(&pdu, 0);
	wrong = acceptor_parse((unsigned char *)pdu.data, pdu.length, &request);
	ok(!wrong, "a request that can be read");
	buf_free(&pdu);
	return acceptor_judge(&request);
}

/* What refusals say: the PDU's type and its last three bytes. */
static bool says(const struct acceptor_refusal *refusal, const char *four)
{
	unsigned char pdu[WIRE_SHORT];

	if (!refusal)
		return false;
	acceptor_make_refusal(refusal->reject, pdu);
	return pdu[0] == four[0] && memcmp(pdu + 7, four + 1, 3) == 0;
}

int main(void)
{
	static const char dicom[] = WIRE_APPLICATION_UID, abort[] = "\7\0\0\0";
	const size_t whole = sizeof(context) - 1, no_syntax = 4 + 4 + 25;

	ok(!judged(ALL, whole, dicom, 1) && !judged(ALL, whole, dicom, 3), "a request");
	ok(says(judged(APPLICATION | USER, 0, dicom, 1), abort), "without a context: abort");
	ok(says(judged(APPLICATION | CONTEXT, whole, dicom, 1), abort), "without user information");
	ok(says(judged(CONTEXT | USER, whole, dicom, 1), abort), "without application context");
	ok(says(judged(ALL, no_syntax, dicom, 1), abort), "a context without transfer syntax");
	ok(says(judged(ALL, 4, dicom, 1), abort), "a context of nothing");
	ok(says(judged(ALL, whole, "1.2.3", 1), "\3\1\1\2"), "another application context");
	ok(says(judged(ALL, whole, dicom, 2), "\3\1\2\2"), "another version of the protocol");
	return tap_done();
}
