/*
 * scu: rawsend's association, from the contexts that it proposes to the status of an image.
 *
 * Prints the events that rawsend promises. When something cannot be sent, the receiver has ended
 * the connection: nothing is reported then, because the answer, read next, tells how.
 */
#ifndef SCU_H
#define SCU_H

#include <stdio.h>

#include "base/log.h"
#include "part10.h"
#include "pdu.h"

enum { OK, FAILED, USAGE };
enum hang { HANG_NO, HANG_CONNECT, HANG_HALF, HANG_OPEN };
enum { SYNTAXES = 64 };

static const char implicit_little_endian[] = "1.2.840.10008.1.2";
static const char secondary_capture[] = "1.2.840.10008.5.1.4.1.1.7";
static const char verification[] = "1.2.840.10008.1.1";

struct image {
	const char *path;
	struct part10 file;
	const char *syntax;
	size_t context;
};

struct sender {
	char called[AE_LENGTH], calling[AE_LENGTH];
	const char *syntax[SYNTAXES], *sop_class, *sop_instance;
	size_t syntaxes;
	long contexts_wanted, cut, close_after, drop_in, wait_in, claimed_length, timeout_s;
	long pause_ms;
	bool reset, echo, garbage;
	enum hang hang;

	int fd;
	struct image *image;
	size_t images, contexts, max_pdu;
	struct context context[PDU_CONTEXTS];
	char invented[PDU_CONTEXTS][32];
	struct buf body; /* of the PDU received last */
};

/* Receives, and prints what ends an association. Returns the PDU, or 0 when it ended. */
static inline enum pdu receive(struct sender *s)
{
	enum pdu pdu = pdu_receive(s->fd, &s->body);
	const char *b = s->body.data;

	switch (pdu) {
	case PDU_ASSOCIATE_AC:
	case PDU_DATA:
	case PDU_RELEASE_RP:
		return pdu;
	case PDU_ASSOCIATE_RJ:
		if (s->body.length >= 4)
			printf("rejected %d %d %d\n", b[1], b[2], b[3]);
		break;
	case PDU_ABORT:
		puts("aborted");
		break;
	case PDU_TROUBLE:
		puts(errno == EAGAIN ? "timeout" : "closed");
		break;
	default:
		puts("closed");
	}
	return PDU_CLOSED;
}

static inline size_t find_context(
	struct sender *s, const char *sop_class, const char *const *syntax)
{
	size_t i;

	for (i = 0; i < s->contexts; i++)
		if (!strcmp(s->context[i].sop_class, sop_class) &&
			(s->syntaxes || !strcmp(s->context[i].syntax[0], *syntax)))
			return i;
	if (i == PDU_CONTEXTS)
		die(USAGE, "unable to propose more than %d presentation contexts", PDU_CONTEXTS);
	s->context[s->contexts++] = (struct context){
		.sop_class = sop_class,
		.syntax = s->syntaxes ? s->syntax : syntax,
		.syntaxes = s->syntaxes ? s->syntaxes : 1,
	};
	return i;
}

static inline void choose_contexts(struct sender *s)
{
	static const char *const usual = implicit_little_endian;

	if (s->echo)
		(void)find_context(s, verification, &usual); /* it is the first */
	for (size_t i = 0; i < s->images; i++) {
		struct image *im = &s->image[i];
		const char *own = *im->file.sop_class ? im->file.sop_class : secondary_capture;

		im->syntax = *im->file.syntax ? im->file.syntax : usual;
		im->context = find_context(s, s->sop_class ? s->sop_class : own, &im->syntax);
	}
	if (!s->contexts)
		(void)find_context(s, s->sop_class ? s->sop_class : verification, &usual);
	for (size_t i = 0; s->contexts < (size_t)s->contexts_wanted; i++) {
		(void)snprintf(
			s->invented[i], sizeof(s->invented[i]), "2.25.9000%zu", i); /* fits */
		(void)find_context(s, s->invented[i], &usual);
	}
}

static inline void read_context_answer(struct sender *s, const uint8_t *item, size_t length)
{
	size_t i = item[4] / 2;
	int result = item[6];

	if (length >= 12 && result == 0)
		printf("context %d %d %.*s\n", item[4], result, (int)(length - 12), item + 12);
	else
		printf("context %d %d -\n", item[4], result);
	if (i < s->contexts)
		s->context[i].accepted = result == 0;
}

/* Walks the items of an A-ASSOCIATE-AC from offset at (PS3.8 9.3.3). */
static inline void read_answer(struct sender *s, size_t at, size_t end)
{
	const uint8_t *b = (const uint8_t *)s->body.data;

	while (at + 4 <= end) {
		size_t length = pdu_number(b + at + 2, 2) + 4;

		if (length > end - at)
			return;
		if (b[at] == 0x21 && length >= 8)
			read_context_answer(s, b + at, length);
		if (b[at] == 0x50)
			read_answer(s, at + 4, at + length);
		if (b[at] == 0x51 && length == 8 && pdu_number(b + at + 4, 4) > 6)
			s->max_pdu = pdu_number(b + at + 4, 4);
		at += length;
	}
}

/* Sends the request, or what is asked for in its place. Returns true when there is an association.
 */
static inline bool associate(struct sender *s)
{
	struct buf request = { 0 };
	enum pdu pdu;

	pdu_associate(&request, s->called, s->calling, s->context, s->contexts);
	if (request.failed)
		die(FAILED, "unable to make a request: not enough memory");
	for (int i = 0; s->claimed_length >= 0 && i < 4; i++)
		request.data[2 + i] = (char)(s->claimed_length >> (24 - 8 * i));
	for (size_t i = 0; s->garbage && i < request.length; i++)
		request.data[i] = (char)(i * 167 + 71);
	/* When it cannot be sent, the receiver has ended the connection, and receive() tells how.
	 */
	(void)pdu_send(
		s->fd, request.data, s->hang == HANG_HALF ? request.length / 2 : request.length);
	buf_free(&request);
	if (s->hang == HANG_HALF)
		return true;
	pdu = receive(s);
	if (pdu != PDU_ASSOCIATE_AC)
		return false;
	read_answer(s, 68, s->body.length);
	puts("accepted");
	return true;
}

/* Waits for the response to a command. Returns its status, or -1 when the association ended. */
static inline long read_status(struct sender *s)
{
	struct buf command = { 0 };
	long status = -1;
	uint8_t flags = 0;

	while (!(flags & 2)) {
		if (receive(s) != PDU_DATA)
			goto out;
		for (size_t at = 0; at + 6 <= s->body.length;) {
			size_t length = pdu_number(s->body.data + at, 4);

			if (length < 2 || length > s->body.length - at - 4)
				goto out;
			flags = (uint8_t)s->body.data[at + 5];
			buf_add(&command, s->body.data + at + 6, length - 2);
			at += length + 4;
		}
	}
	for (size_t at = 0; at + 10 <= command.length;) {
		const uint8_t *p = (const uint8_t *)command.data + at;

		if (part10_number(p, 4) == 0x09000000) /* (0000,0900) Status (PS3.7 E.1) */
			status = (long)part10_number(p + 8, 2);
		at += 8 + (size_t)part10_number(p + 4, 4);
	}
out:
	buf_free(&command);
	return status;
}

/* Sends a C-ECHO-RQ, or the C-STORE-RQ of an image (PS3.7 9.3.1, 9.3.5). */
static inline int send_command(struct sender *s, const struct image *im, unsigned message)
{
	struct buf command = { 0 }, rest = { 0 };
	const struct writer head = { .out = &command }, w = { .out = &rest };
	size_t context = im ? im->context : 0;
	const char *instance = NULL;
	int result;

	put_text(&w, 0, 0x0002, "UI", s->context[context].sop_class);
	put_us(&w, 0, 0x0100, im ? 0x0001 : 0x0030);
	put_us(&w, 0, 0x0110, message);
	if (im) {
		instance = *im->file.sop_instance ? im->file.sop_instance : "2.25.1";
		put_us(&w, 0, 0x0700, 0);
	}
	put_us(&w, 0, 0x0800, im ? 0x0000 : 0x0101); /* data set follows, or none */
	if (im)
		put_text(&w, 0, 0x1000, "UI", s->sop_instance ? s->sop_instance : instance);
	put_head(&head, 0, 0, "UL", 4);
	put_u32(&head, (uint32_t)rest.length);
	buf_add(&command, rest.data, rest.length);
	result = pdu_send_data(s->fd, 2 * (unsigned)context + 1, true, command.data, command.length,
		s->max_pdu, true);
	buf_free(&rest);
	buf_free(&command);
	return result;
}

/* In the middle of an image: until a line comes on standard input. */
static inline void wait_for_line(void)
{
	char c = 0;

	while (c != '\n' && read(STDIN_FILENO, &c, 1) == 1)
		;
}

/* Returns the status, -1 when the association ended, -2 without a context. */
static inline long store(struct sender *s, const struct image *im, unsigned message, bool drop)
{
	const unsigned context = 2 * (unsigned)im->context + 1;
	size_t length = im->file.length, half;
	long status;

	if (!s->context[im->context].accepted) {
		printf("%s nocontext\n", im->path);
		return -2;
	}
	length -= (size_t)s->cut < length ? (size_t)s->cut : length;
	/* When sending fails, the receiver has ended the association, and read_status() tells how.
	 */
	(void)send_command(s, im, message);
	half = length / 4 * 2; /* fragments are even */
	if (drop || s->wait_in == (long)message)
		(void)pdu_send_data(s->fd, context, false, im->file.data, half, s->max_pdu, false);
	if (drop)
		return 0;
	if (s->wait_in == (long)message)
		wait_for_line();
	else
		half = 0;
	(void)pdu_send_data(
		s->fd, context, false, im->file.data + half, length - half, s->max_pdu, true);
	status = read_status(s);
	if (status >= 0)
		printf("%s %04lx\n", im->path, (unsigned long)status);
	return status;
}

#endif
