/* network: what a peer can send, hostile and odd, and what we send. */
#include "association_request.h"
#include "tap.h"

#include "dicom/network/associate.h"
#include "dicom/network/dimse.h"

#include <stdlib.h>
#include <string.h>

static void test_titles(void)
{
	begin("ROUTER", "  SCAN NER");
	ok(!parse(0) && strcmp(request.called, "ROUTER") == 0, "called AE title");
	ok(strcmp(request.calling, "SCAN NER") == 0, "padding goes, inner spaces stay");
	begin("", "a\n\\\x7f");
	memcpy(pdu.data + 26, "a\n\\\xff\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	ok(!parse(0) && strcmp(request.calling, "a\\x0a\\x5c\\xff") == 0, "bytes are escaped");
	ok(strcmp(request.called, "") == 0, "an empty title");
	memcpy(pdu.data + 26, "\0hidden", 7);
	ok(!parse(0) && strcmp(request.calling, "") == 0, "nothing after a NUL");
	memset(pdu.data + 26, 1, 16);
	ok(!parse(0) && strlen(request.calling) == 64, "the longest title");
}

static void test_length(void)
{
	const unsigned char good[6] = { 1, 0, 0, 0, 1, 2 }, other[6] = { 2, 0, 0, 0, 1, 2 };
	const unsigned char huge[6] = { 1, 0, 0xff, 0xff, 0xff, 0xff };

	ok(acceptor_length(good) == 264, "the length of the PDU");
	ok(acceptor_length(other) == 0, "another PDU");
	ok(acceptor_length(huge) == 0, "too long");
}

static void test_cut_off(void)
{
	bool survived = true;
	size_t length;

	begin("A", "B");
	context(CT, (const char *const[]){ T(50), T(70), NULL });
	context(MR, (const char *const[]){ T(50), T(70), NULL });
	length = pdu.length;
	for (size_t cut = 0; cut <= length; cut++) { /* in memory of its own, for the sanitizer */
		unsigned char *copy = malloc(length - cut + 1);

		if (!copy)
			return;
		memcpy(copy, pdu.data, length - cut);
		survived = survived &&
			   (acceptor_parse(copy, length - cut, &request) == NULL) ==
				   (cut == 0 || cut == (length - 74) / 2 || cut == length - 74);
		free(copy);
	}
	ok(survived, "a request that is cut off anywhere");
}

static void test_bounds(void)
{
	const char *many[ACCEPTOR_SYNTAXES + 2] = { NULL };
	char uid[80];

	for (size_t i = 0; i < ACCEPTOR_SYNTAXES; i++)
		many[i] = T(50);
	begin("A", "B");
	context(CT, many);
	ok(!parse(0) && request.context[0].syntax_count == 50, "50 transfer syntaxes");
	many[ACCEPTOR_SYNTAXES] = T(50);
	begin("A", "B");
	context(CT, many);
	ok(!parse(0) && request.too_many, "51 transfer syntaxes are too many");
	begin("A", "B");
	for (int i = 0; i < WIRE_CONTEXTS; i++)
		context(CT, (const char *const[]){ T(50), NULL });
	ok(!parse(0) && request.context_count == 128, "128 contexts");
	context(CT, (const char *const[]){ T(50), NULL });
	ok(parse(0), "129 contexts are too many");
	begin("A", "B");
	memset(uid, '1', sizeof(uid));
	uid[65] = '\0';
	context(uid, (const char *const[]){ "1.2\n[x]", "1.2 ", "", "../x", NULL });
	ok(!parse(0) && request.bad_uids == 4, "UIDs that are none are counted; padding goes");
}

static void set_length(void)
{
	for (int i = 0; i < 4; i++)
		pdu.data[2 + i] = (char)((pdu.length - WIRE_HEAD) >> (24 - 8 * i));
}

static const char *other(const void *data, const char *uid)
{
	const char *const *pair = data;

	return strcmp(uid, pair[0]) == 0 ? pair[1] : NULL;
}

static void test_rename(void)
{
	static const char *const there[] = { T(201), T(50) }, *const back[] = { T(50), T(201) };
	struct buf out = { 0 }, again = { 0 };
	size_t bad = 0;

	begin("A", "B");
	context(CT, (const char *const[]){ T(201), "1.2.840.10008.1.2.5", NULL });
	context(MR, (const char *const[]){ T(201), NULL });
	set_length();
	ok(!acceptor_rename((unsigned char *)pdu.data, pdu.length, other, there, &out) &&
			acceptor_length((unsigned char *)out.data) == out.length &&
			!acceptor_rename(
				(unsigned char *)out.data, out.length, other, back, &again) &&
			again.length == pdu.length && !memcmp(again.data, pdu.data, pdu.length),
		"other transfer syntaxes, there and back");
	buf_free(&out);
	buf_free(&again);
	for (size_t n = 1; n < pdu.length; n++) {
		bad += !acceptor_rename(
			(unsigned char *)pdu.data, pdu.length - n, other, there, &out);
		buf_free(&out);
	}
	ok(bad < 4, "a PDU that is cut off, but between two items");
}

static void test_reject(void)
{
	static const unsigned char odd[4] = { 0, 2, 3, 9 };
	unsigned char rejection[WIRE_SHORT];
	char text[256];
	bool for_now;

	acceptor_make_refusal((struct acceptor_reject){ 1, 1, 7 }, rejection);
	ok(rejection[0] == WIRE_ASSOCIATE_RJ && wire_number(rejection + 2, 4) == 4, "a rejection");
	associate_reject_text(rejection + WIRE_HEAD, &for_now, text, sizeof(text));
	ok(!for_now && strcmp(text, "the target rejects the association: called AE title not "
				    "recognised") == 0,
		"and what it means");
	associate_reject_text(odd, &for_now, text, sizeof(text));
	ok(for_now && strcmp(text, "the target rejects the association for now: source 3, reason "
				   "9") == 0,
		"one that the standard does not have");
	associate_abort_text(odd, text, sizeof(text));
	ok(strcmp(text, "the target aborts the association") == 0,
		"an abort whose reason means nothing");
}

static const struct associate_proposal proposal[] = { { CT, T(50) }, { CT, T(70) }, { MR, T(50) } };

/* Begins an acceptance; results follow. */
static void begin_accept_of(const char *application)
{
	begin("A", "B");
	pdu.data[0] = 2;
	if (application)
		add_item(&pdu, 0x10, application, strlen(application));
}

static void begin_accept(void)
{
	begin_accept_of(WIRE_APPLICATION_UID);
}

static void result(int id, int reason, const char *syntax)
{
	const char head[4] = { (char)id, 0, (char)reason, 0 };
	struct buf b = { 0 };

	buf_add(&b, head, sizeof(head));
	if (syntax)
		add_item(&b, 0x40, syntax, strlen(syntax));
	add_item(&pdu, 0x21, b.data, b.length);
	buf_free(&b);
}

static void maximum(const char *four)
{
	struct buf b = { 0 };

	add_item(&b, 0x99, "later", 5); /* unknown ones are skipped */
	add_item(&b, 0x51, four, 4);
	add_item(&pdu, 0x50, b.data, b.length);
	buf_free(&b);
}

static const char *accept_is(struct associate_answer *answer)
{
	return associate_parse_accept(
		(unsigned char *)pdu.data + WIRE_HEAD, pdu.length - WIRE_HEAD, proposal, 3, answer);
}

static void test_request(void)
{
	struct buf out = { 0 };

	associate_make_request(&out, "PACS", "DCMSPOOL", proposal, 3, 131072);
	ok(!out.failed && acceptor_length((unsigned char *)out.data) == out.length,
		"a request of ours");
	ok(!acceptor_parse((unsigned char *)out.data, out.length, &request) &&
			strcmp(request.called, "PACS") == 0 &&
			strcmp(request.calling, "DCMSPOOL") == 0,
		"is understood");
	ok(request.context_count == 3 && strcmp(request.context[1].abstract, CT) == 0 &&
			strcmp(request.context[1].syntax[0], T(70)) == 0 &&
			request.context[1].syntax_count == 1,
		"with a context for each proposal");
	buf_free(&out);
}

static void test_accept(void)
{
	struct associate_answer a;

	begin_accept();
	result(1, 0, T(50));
	result(3, 0, T(50)); /* which was proposed for another context */
	result(5, 4, NULL);
	maximum("\0\0\x40\0");
	ok(!accept_is(&a) && a.accepted[0] && !a.accepted[1] && !a.accepted[2] &&
			a.longest == 16384,
		"accepted, accepted in another syntax, refused");
	begin_accept();
	result(1, 0, T(50) "\0");
	ok(!accept_is(&a) && a.accepted[0] && a.longest == 16384, "no user information");
	begin_accept();
	result(7, 0, T(50));
	ok(accept_is(&a), "a context that was not proposed");
	begin_accept();
	result(2, 0, T(50));
	ok(accept_is(&a), "an even number");
	begin_accept();
	result(1, 0, NULL);
	ok(!accept_is(&a) && !a.accepted[0], "no transfer syntax");
	begin_accept();
	pdu.data[WIRE_HEAD + 1] = 2;
	ok(accept_is(&a), "another version of the protocol");
}

static void test_application(void)
{
	struct associate_answer a;

	begin_accept_of("1.2.840.10008.3.1.1.2");
	result(1, 0, T(50));
	ok(accept_is(&a), "another application context");
	begin_accept_of("");
	result(1, 0, T(50));
	ok(accept_is(&a), "an empty one");
	begin_accept_of(WIRE_APPLICATION_UID " ");
	result(1, 0, T(50));
	ok(!accept_is(&a) && a.accepted[0], "the right one, padded");
	begin_accept_of(NULL);
	result(1, 0, T(50));
	ok(!accept_is(&a) && a.accepted[0], "none is taken for the right one");
}

static void test_accept_cut_off(void)
{
	struct associate_answer a;
	bool survived = true;
	size_t good = 0;

	begin_accept();
	result(1, 0, T(50));
	maximum("\0\0\0\0");
	for (size_t length = 0; length <= pdu.length - WIRE_HEAD; length++) {
		unsigned char *copy = malloc(length + 1); /* of its own, for the sanitizer */

		if (!copy)
			return;
		memcpy(copy, pdu.data + WIRE_HEAD, length);
		good += !associate_parse_accept(copy, length, proposal, 3, &a);
		survived = survived && (a.longest == 0 || a.longest == 16384);
		free(copy);
	}
	ok(survived && good == 4, "an acceptance that is cut off, but between two items");
}

static void test_commands(void)
{
	struct dimse_response r;
	struct buf out = { 0 };
	const unsigned char *p;

	dimse_store_request(&out, 7, CT, "1.2.3");
	p = (const unsigned char *)out.data;
	ok(!out.failed && out.length % 2 == 0 && p[8] == out.length - 12,
		"the length of the group");
	ok(!dimse_parse(p, out.length, &r) && r.command == DIMSE_STORE && r.data_set_type == 1 &&
			strcmp(r.instance, "1.2.3") == 0 && dimse_has_data(&r),
		"a C-STORE-RQ");
	for (size_t length = 0; length < out.length; length++) {
		unsigned char *copy = malloc(length + 1);

		if (!copy)
			return;
		memcpy(copy, p, length);
		(void)dimse_parse(copy, length, &r); /* for the sanitizer */
		free(copy);
	}
	ok(dimse_parse(p, out.length - 1, &r), "one that is cut off");
	buf_free(&out);
}

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1
static void test_response(void)
{
	static const char odd[] = "\0\0\0\11\2\0\0\0\0\xa7"
				  "\0\0\1\11\10\0\0\0\20\0\20\0\10\0\x60\0"
				  "\0\0\2\11\6\0\0\0 a\33b\t\xff"
				  "\1\0\0\11\2\0\0\0\0\0"; /* of another group */
	struct dimse_response r;

	ok(!dimse_parse(BYTES(odd), &r) && r.status == 0xa700 && strcmp(r.comment, " a b ?") == 0,
		"surplus elements, and a comment that is cleaned");
	ok(r.offending_count == 2 && r.offending[1] == 0x00080060, "offending elements");
	ok(r.command == -1 && r.message == -1 && !*r.instance && !dimse_has_data(&r), "absent");
	ok(dimse_parse(BYTES("\0\0\0\11\2\0\0\0\0\xa7\0\0\0\11\2\0\0\0\0\0"), &r), "two statuses");
	ok(dimse_parse(BYTES("\0\0\0\11\2\0\0\0\0\0\0\0\0\1\2\0\0\0\1\x80"), &r),
		"tags of odd order");
	ok(dimse_parse(BYTES("\0\0\0\11\4\0\0\0\0\0\0\xa7"), &r), "a longer status");
	ok(!dimse_parse((const unsigned char *)"", 0, &r) && r.status == -1, "nothing");
}

static void test_values(void)
{
	static const unsigned char two[] = { 0, 0, 0, 3, 1, 3, 'a', 0, 0, 0, 2, 3, 2 };
	static const unsigned char empty[] = { 0, 0, 0, 1, 1 },
				   endless[] = { 255, 255, 255, 255, 1, 2 };
	struct wire_view v = { two, sizeof(two) };
	struct wire_pdv pdv;

	ok(wire_take_pdv(&v, &pdv) && pdv.context == 1 && pdv.control == 3 && pdv.data.left == 1 &&
			wire_take_pdv(&v, &pdv) && pdv.context == 3 && pdv.data.left == 0 &&
			!v.left && !wire_take_pdv(&v, &pdv),
		"two values in one PDU, the last one empty");
	v = (struct wire_view){ empty, sizeof(empty) };
	ok(!wire_take_pdv(&v, &pdv), "a value without a head");
	v = (struct wire_view){ endless, sizeof(endless) };
	ok(!wire_take_pdv(&v, &pdv), "a value longer than what is there");
}

int main(void)
{
	test_titles();
	test_length();
	test_cut_off();
	test_bounds();
	test_rename();
	test_reject();
	test_request();
	test_accept();
	test_application();
	test_accept_cut_off();
	test_commands();
	test_response();
	test_values();
	buf_free(&pdu);
	return tap_done();
}
