/* profile and standin of dcmspool-association: the merging of orders, and other transfer syntaxes.
 */
#include "../lib/tap.h"

#include "../../src/lib/receive/profile.c"
#include "../../src/lib/receive/standin.c"

#include "../lib/association_request.h" /* whose names they use for their own */

#include <stdlib.h>

/* The profile of the request; what follows its first section is fixed. */
static bool profile_is(enum conf_accept accept, const char *syntaxes)
{
	struct buf out = { 0 };
	bool same;

	(void)profile_make(&request, accept, NULL, &out);
	same = strncmp(out.data, syntaxes, strlen(syntaxes)) == 0;
	if (!same)
		printf("# %s", out.data);
	buf_free(&out);
	return same;
}

static void test_bad_uids(void)
{
	begin("A", "B");
	context(CT, (const char *const[]){ "1.2\n[x]", "", "../x", NULL });
	ok(!parse(0), "a request with UIDs that are none");
	ok(profile_is(CONF_ACCEPT_ALL,
		   "[[TransferSyntaxes]]\n[T1]\nTransferSyntax1 = 1.2.840.10008.1.2\n[["),
		"a profile is valid without UIDs that are none");
}

static void test_order(void)
{
	begin("A", "B");
	context(CT, (const char *const[]){ T(70), T(201), T(50), T(70), NULL });
	context(MR, (const char *const[]){ T(50), NULL });
	ok(!parse(0) && profile_is(CONF_ACCEPT_ALL,
				"[[TransferSyntaxes]]\n[T1]\nTransferSyntax1 = " T(
					70) "\nTransferSyntax2 = " T(50) "\n[T2]\nTransferSyntax1 "
									 "= " T(50) "\n[["
										    "PresentationCo"
										    "ntexts]]\n[C]"
										    "\nPresentation"
										    "Context1 = " CT
										    "\\T1\nPresenta"
										    "tionContext2 "
										    "= " MR
										    "\\T2\n[["
										    "Profiles]]\n"),
		"a list for each SOP class, in its order, without what storescp cannot receive");
	begin("A", "B");
	context(CT, (const char *const[]){ T(50), T(51), NULL });
	context(CT, (const char *const[]){ T(70), T(50), NULL });
	ok(!parse(0) && profile_is(CONF_ACCEPT_ALL,
				"[[TransferSyntaxes]]\n[T1]\nTransferSyntax1 = " T(
					70) "\nTransferSyntax2 = " T(50) "\nTransferSyntax3 "
									 "= " T(51) "\n[["),
		"two contexts of one SOP class: both orders are kept");
	begin("A", "B");
	context(CT, (const char *const[]){ T(50), T(51), NULL });
	context(CT, (const char *const[]){ T(51), T(50), NULL });
	ok(!parse(0) && profile_is(
				CONF_ACCEPT_ALL, "[[TransferSyntaxes]]\n[T1]\nTransferSyntax1 = " T(
							 50) "\nTransferSyntax2 = " T(51) "\n[["),
		"contradicting orders: the first wins");
	begin("A", "B");
	context(CT, (const char *const[]){
			    T(50), "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1", NULL });
	ok(!parse(0) && profile_is(CONF_ACCEPT_UNCOMPRESSED,
				"[[TransferSyntaxes]]\n[T1]\nTransferSyntax1 = "
				"1.2.840.10008.1.2.1\n[["),
		"uncompressed only");
}

static void test_classes(void)
{
	ok(profile_wants(VERIFICATION) && profile_wants(CT) && profile_wants("1.3.12.2.1107.5.9.1"),
		"Verification, storage, private");
	ok(profile_wants("1.2.840.10008.5.1.4.34.7") &&
			!profile_wants("1.2.840.10008.5.1.4.34.6.1"),
		"storage among other services");
	ok(!profile_wants("1.2.840.10008.5.1.4.1.2.1.1") &&
			!profile_wants("1.2.840.10008.1.20.1") &&
			!profile_wants("1.2.840.10008.5.1.4.1.1.201.2") && !profile_wants(""),
		"queries, storage commitment, inventories");
}

/* What the request looks like with the stand-ins, and then again without them. */
static bool comes_back(const struct stand_ins *s)
{
	struct buf there = { 0 }, back = { 0 };
	bool same = !standin_request(s, (unsigned char *)pdu.data, pdu.length, &there) &&
		    acceptor_length((unsigned char *)there.data) == there.length &&
		    !standin_answer(s, (unsigned char *)there.data, there.length, &back) &&
		    back.length == pdu.length && !memcmp(back.data, pdu.data, pdu.length);

	buf_free(&there);
	buf_free(&back);
	return same;
}

static void set_length(void)
{
	for (int i = 0; i < 4; i++)
		pdu.data[2 + i] = (char)((pdu.length - WIRE_HEAD) >> (24 - 8 * i));
}

static void test_stand_ins(void)
{
	struct buf out = { 0 }, long_item = { 0 };
	struct stand_ins s;
	size_t bad = 0;

	begin("A", "B");
	context(CT, (const char *const[]){ T(201), "1.2.999.3", NULL });
	context(MR, (const char *const[]){ T(202), "1.2.840.10008.1.2.5", T(50), NULL });
	context("1.2.840.10008.5.1.4.1.2.1.1", (const char *const[]){ T(202), NULL });
	set_length();
	ok(!parse(0), "a request with unknown syntaxes");
	standin_choose(&request, CONF_ACCEPT_ALL, &s);
	ok(s.count == 2 && !strcmp(s.pair[0].real, T(201)) && !strcmp(s.pair[1].real, "1.2.999.3"),
		"one for each unknown syntax of a storage class, where nothing else is proposed");
	ok(!strcmp(s.pair[0].stand_in, T(51)) && !strcmp(s.pair[1].stand_in, T(52)),
		"none that is proposed");
	ok(comes_back(&s), "there and back");
	for (size_t cut = 1; cut < pdu.length; cut++) {
		bad += !standin_request(&s, (unsigned char *)pdu.data, pdu.length - cut, &out);
		buf_free(&out);
	}
	ok(bad < 5,
		"a PDU that is cut off, but between two items"); /* 3 contexts, and before them */
	standin_choose(&request, CONF_ACCEPT_UNCOMPRESSED, &s);
	ok(s.count == 0, "uncompressed only: none");

	begin("A", "B");
	buf_add(&long_item, "\1\0\0\0", 4);
	add_item(&long_item, 0x40, "1.2.999.3", 9);
	add_item(&long_item, 0x99, "ab", 2);
	while (long_item.length < WIRE_ITEM_LONGEST)
		add_item(&long_item, 0x99, "", 0);
	add_item(&pdu, 0x20, long_item.data, long_item.length);
	set_length();
	s = (struct stand_ins){ .count = 1, .pair = { { T(50), "1.2.999.3" } } };
	ok(long_item.length == WIRE_ITEM_LONGEST &&
			!standin_request(&s, (unsigned char *)pdu.data, pdu.length, &out) &&
			out.length == pdu.length && !memcmp(out.data, pdu.data, pdu.length),
		"a context that would become too long stays as it is");
	buf_free(&out);
	buf_free(&long_item);
}

int main(void)
{
	test_bad_uids();
	test_order();
	test_classes();
	test_stand_ins();
	buf_free(&pdu);
	return tap_done();
}
