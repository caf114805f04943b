#include "dicom/network/association_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINGER_MS = 1000, SHORTEST = WIRE_PDV_HEAD + 2 /* two bytes of a data set */ };

int association_fail(
	struct association *a, enum association_trouble trouble, const char *format, ...)
{
	va_list args;

	if (a->trouble)
		return -1;
	a->trouble = trouble;
	va_start(args, format);
	(void)vsnprintf(a->why, sizeof(a->why), format, args); /* a longer reason is cut */
	va_end(args);
	return -1;
}

int association_broken(struct association *a)
{
	static const enum association_trouble troubles[] = {
		[CONNECTION_OPEN] = ASSOCIATION_CLOSED,
		[CONNECTION_NONE] = ASSOCIATION_UNREACHABLE,
		[CONNECTION_CLOSED] = ASSOCIATION_CLOSED,
		[CONNECTION_SILENT] = ASSOCIATION_SILENT,
	};

	return association_fail(a, troubles[a->connection.end], "%s", a->connection.why);
}

/* The input begins with a PDU. Returns 1 when it is whole, 0 when more must come, -1 for none that
 * may come at all. */
static int measure(struct association *a, unsigned int *type, struct wire_view *content)
{
	const unsigned char *at;
	size_t n = connection_input(&a->connection, &at), length, most;

	if (n == 0)
		return 0;
	*type = at[0];
	if (*type < WIRE_ASSOCIATE_RQ || *type > WIRE_ABORT)
		return association_fail(a, ASSOCIATION_GARBAGE,
			"what the target sends is no DICOM (a PDU of type %u)", *type);
	if (n < WIRE_HEAD)
		return 0;
	length = wire_number(at + 2, 4);
	most = *type == WIRE_DATA && a->begun ? a->longest : CONNECTION_INPUT - WIRE_HEAD;
	if (length > most)
		return association_fail(a, ASSOCIATION_GARBAGE,
			"the target sends a PDU of %zu bytes, which is too long", length);
	if (length < 4 && *type != WIRE_DATA)
		return association_fail(a, ASSOCIATION_GARBAGE,
			"the target sends a PDU of %zu bytes, which is too short", length);
	*content = (struct wire_view){ at + WIRE_HEAD, length };
	return n - WIRE_HEAD >= length;
}

int association_next(
	struct association *a, int64_t deadline, unsigned int *type, struct wire_view *content)
{
	const unsigned char *at;
	int got;

	while (!(got = measure(a, type, content))) {
		if (!deadline && connection_input(&a->connection, &at) > 0)
			deadline = connection_now() + a->connection.timeout_ms;
		if (connection_read(&a->connection, deadline) < 0)
			return association_broken(a);
	}
	return got < 0 ? -1 : 0;
}

void association_consume(struct association *a, const struct wire_view *content)
{
	connection_consume(&a->connection, WIRE_HEAD + content->left);
}

/* Writes a PDU of ten bytes, if it can be done at once: nobody depends on it. */
static void put_short(struct association *a, enum wire_pdu type)
{
	static const unsigned char nothing[4];
	unsigned char pdu[WIRE_SHORT];

	wire_short(pdu, type, nothing);
	a->connection.end = CONNECTION_OPEN; /* for once: what is silent may still listen */
	a->connection.timeout_ms = 0;
	(void)connection_write(&a->connection, pdu, sizeof(pdu), false);
}

int association_unexpected(
	struct association *a, unsigned int type, const struct wire_view *content)
{
	char why[CONNECTION_WHY];
	bool for_now;

	switch (type) {
	case WIRE_ABORT:
		associate_abort_text(content->at, why, sizeof(why));
		return association_fail(a, ASSOCIATION_ABORTED, "%s", why);
	case WIRE_ASSOCIATE_RJ:
		if (a->begun)
			break;
		associate_reject_text(content->at, &for_now, why, sizeof(why));
		return association_fail(
			a, for_now ? ASSOCIATION_BUSY : ASSOCIATION_REJECTED, "%s", why);
	case WIRE_RELEASE_RQ:
		if (!a->begun)
			break;
		put_short(a, WIRE_RELEASE_RP);
		return association_fail(
			a, ASSOCIATION_CLOSED, "the target releases the association");
	default:
		break;
	}
	return association_fail(a, ASSOCIATION_GARBAGE,
		"the target sends a PDU of type %u where none belongs", type);
}

/* Input that came while nothing was asked for, or while we write. */
int association_glance(struct association *a, bool *data)
{
	struct wire_view content;
	unsigned int type = 0;
	int got = measure(a, &type, &content);

	if (got < 0)
		return -1;
	*data = type == WIRE_DATA;
	return got && !*data ? association_unexpected(a, type, &content) : 0;
}

int association_check(struct association *a)
{
	bool data = false;
	int got;

	while ((got = connection_peek(&a->connection)) > 0)
		if (association_glance(a, &data) < 0)
			return -1;
		else if (data)
			break;
	if (association_glance(a, &data) < 0)
		return -1;
	if (data)
		return association_fail(
			a, ASSOCIATION_GARBAGE, "the target sends data that nobody asked for");
	return got < 0 ? association_broken(a) : 0;
}

int association_answer(struct association *a)
{
	int64_t deadline = connection_now() + a->connection.timeout_ms;
	struct wire_view content;
	const char *wrong;
	unsigned int type;
	size_t most;

	if (association_next(a, deadline, &type, &content) < 0)
		return -1;
	if (type != WIRE_ASSOCIATE_AC)
		return association_unexpected(a, type, &content);
	wrong = associate_parse_accept(content.at, content.left, a->proposal, a->count, &a->answer);
	a->begun = true;
	if (wrong)
		return association_fail(a, ASSOCIATION_GARBAGE,
			"the target's answer to the association request is none: %s", wrong);
	association_consume(a, &content);
	most = a->answer.longest;
	if (most > 0 && most < SHORTEST)
		return association_fail(a, ASSOCIATION_GARBAGE,
			"the target takes PDUs of %zu bytes only, in which nothing fits", most);
	if (most == 0 || most > a->longest)
		most = a->longest;
	a->chunk = (most - WIRE_PDV_HEAD) & ~(size_t)1; /* PS3.8 E.2: of even length */
	return 0;
}

int association_open(struct association *a, const struct association_call *call)
{
	struct buf request = { 0 };
	int result;

	*a = (struct association){ .proposal = call->proposal,
		.count = call->count,
		.longest = call->longest,
		.out = malloc(ASSOCIATION_OUT) };
	if (connection_open(&a->connection, &call->connection) < 0 ||
		(call->secure && call->secure(&a->connection, call->context) < 0))
		return association_fail(a, ASSOCIATION_UNREACHABLE, "%s", a->connection.why);
	associate_make_request(
		&request, call->called, call->calling, call->proposal, call->count, call->longest);
	if (request.failed || !a->out)
		result = association_fail(a, ASSOCIATION_OURS, "out of memory");
	else
		result = association_push(a, request.data, request.length);
	buf_free(&request);
	return result < 0 ? -1 : association_answer(a);
}

/* PS3.8 9.2.3: data that is still on its way is thrown away; of two that request it, the one who
 * requested the association answers first (Sta9). */
static void release(struct association *a)
{
	static const unsigned char nothing[4];
	unsigned char pdu[WIRE_SHORT];
	int64_t deadline = connection_now() + a->connection.timeout_ms;
	struct wire_view content;
	unsigned int type;

	wire_short(pdu, WIRE_RELEASE_RQ, nothing);
	if (association_push(a, pdu, sizeof(pdu)) < 0)
		return;
	while (association_next(a, deadline, &type, &content) == 0) {
		if (type == WIRE_RELEASE_RQ)
			put_short(a, WIRE_RELEASE_RP);
		else if (type != WIRE_DATA)
			return;
		association_consume(a, &content);
	}
}

void association_close(struct association *a)
{
	const enum association_trouble trouble = a->trouble;

	if (a->begun && !trouble)
		release(a);
	else if (trouble == ASSOCIATION_SILENT || trouble == ASSOCIATION_GARBAGE ||
		 trouble == ASSOCIATION_OURS)
		put_short(a, WIRE_ABORT);
	/* After a rejection or an abort it is the peer that closes first (PS3.8 9.1.5). */
	if (trouble && trouble != ASSOCIATION_UNREACHABLE && trouble != ASSOCIATION_SILENT)
		connection_linger(&a->connection, LINGER_MS);
	connection_close(&a->connection);
	free(a->out);
	a->out = NULL;
}
