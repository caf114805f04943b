/*
 * pdu: protocol data units of the DICOM upper layer (PS3.8 9.3), as much as a sender needs.
 *
 * Nothing is checked on the way out: the sender that uses this plays faults. What comes in is
 * bounded to PDU_MAX. Sockets block, with the time limits of SO_RCVTIMEO and SO_SNDTIMEO.
 */
#ifndef PDU_H
#define PDU_H

#include <errno.h>
#include <sys/socket.h>

#include "element.h"

enum pdu {
	PDU_TROUBLE = -1, /* errno; EAGAIN after the time limit */
	PDU_CLOSED = 0,
	PDU_ASSOCIATE_RQ = 1,
	PDU_ASSOCIATE_AC = 2,
	PDU_ASSOCIATE_RJ = 3,
	PDU_DATA = 4,
	PDU_RELEASE_RQ = 5,
	PDU_RELEASE_RP = 6,
	PDU_ABORT = 7,
};
enum { PDU_MAX = 1 << 20, PDU_CONTEXTS = 128, AE_LENGTH = 16 };

struct context {
	const char *sop_class;
	const char *const *syntax;
	size_t syntaxes;
	bool accepted;
};

static inline uint32_t pdu_number(const void *data, int bytes)
{
	const uint8_t *p = data;
	uint32_t n = 0;

	for (int i = 0; i < bytes; i++)
		n = n << 8 | p[i];
	return n;
}

static inline int pdu_send(int fd, const void *data, size_t length)
{
	const char *p = data;

	while (length) {
		ssize_t n = send(fd, p, length, MSG_NOSIGNAL);

		if (n == -1)
			return -1;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Receives length bytes into to, in place of what it held; returns 1, 0 when they ended before, or
 * -1. */
static inline int pdu_receive_bytes(int fd, struct buf *to, size_t length)
{
	char piece[16384];

	to->length = 0;
	while (to->length < length) {
		size_t left = length - to->length;
		ssize_t n = recv(fd, piece, left < sizeof(piece) ? left : sizeof(piece), 0);

		if (n <= 0)
			return (int)n;
		buf_add(to, piece, (size_t)n);
		if (to->failed) {
			errno = ENOMEM;
			return -1;
		}
	}
	return 1;
}

/* Reads one PDU; its contents without the 6 bytes of the head replace those of body. */
static inline enum pdu pdu_receive(int fd, struct buf *body)
{
	enum pdu type;
	size_t length;
	int got = pdu_receive_bytes(fd, body, 6);

	if (got == 1) {
		type = (enum pdu)body->data[0];
		length = pdu_number(body->data + 2, 4);
		if (length > PDU_MAX) {
			errno = EMSGSIZE;
			return PDU_TROUBLE;
		}
		got = pdu_receive_bytes(fd, body, length);
		if (got == 1)
			return type;
	}
	return got == -1 && errno != ECONNRESET ? PDU_TROUBLE : PDU_CLOSED;
}

static inline void pdu_item(struct buf *out, unsigned type, const void *data, size_t length)
{
	const struct writer w = { .out = out, .big = true };

	put_u16(&w, type << 8);
	put_u16(&w, (unsigned)length);
	buf_add(out, data, length);
}

static inline void pdu_context(struct buf *out, unsigned id, const struct context *context)
{
	struct buf inner = { 0 };

	buf_add(&inner, (const uint8_t[4]){ (uint8_t)id }, 4);
	pdu_item(&inner, 0x30, context->sop_class, strlen(context->sop_class));
	for (size_t i = 0; i < context->syntaxes; i++)
		pdu_item(&inner, 0x40, context->syntax[i], strlen(context->syntax[i]));
	pdu_item(out, 0x20, inner.data, inner.length);
	buf_free(&inner);
}

/* A-ASSOCIATE-RQ (PS3.8 9.3.2). The contexts get the ids 1, 3, 5 ... */
static inline void pdu_associate(struct buf *out, const char called[AE_LENGTH],
	const char calling[AE_LENGTH], const struct context *contexts, size_t count)
{
	static const char application[] = "1.2.840.10008.3.1.1.1";
	static const char implementation[] = "2.25.180311268236270471929041853124763410557";
	struct buf body = { 0 }, user = { 0 };
	const struct writer head = { .out = out, .big = true };

	buf_add(&body, "\0\1\0\0", 4);
	buf_add(&body, called, AE_LENGTH);
	buf_add(&body, calling, AE_LENGTH);
	buf_add(&body, (const char[32]){ 0 }, 32);
	pdu_item(&body, 0x10, application, strlen(application));
	for (size_t i = 0; i < count; i++)
		pdu_context(&body, 2 * (unsigned)i + 1, &contexts[i]);
	pdu_item(&user, 0x51, "\0\0\x40\0", 4);
	pdu_item(&user, 0x52, implementation, strlen(implementation));
	pdu_item(&body, 0x50, user.data, user.length);
	put_u16(&head, PDU_ASSOCIATE_RQ << 8);
	put_u32(&head, (uint32_t)body.length);
	buf_add(out, body.data, body.length);
	buf_free(&user);
	buf_free(&body);
}

/* Sends a command or data set in fragments that fit into PDUs of max bytes (PS3.8 9.3.5). Unless
 * last, more of it is to follow. */
static inline int pdu_send_data(
	int fd, unsigned id, bool command, const void *data, size_t length, size_t max, bool last)
{
	struct buf head = { 0 };
	const struct writer w = { .out = &head, .big = true };
	const char *p = data;
	int result = 0;

	do {
		size_t n = length < max - 6 ? length : max - 6;
		uint8_t flags = (uint8_t)(command | (last && n == length) << 1);

		head.length = 0;
		put_u16(&w, PDU_DATA << 8);
		put_u32(&w, (uint32_t)n + 6);
		put_u32(&w, (uint32_t)n + 2);
		buf_add(&head, (const uint8_t[]){ (uint8_t)id, flags }, 2);
		buf_add(&head, p, n);
		result = head.failed ? -1 : pdu_send(fd, head.data, head.length);
		p += n;
		length -= n;
	} while (length && !result);
	buf_free(&head);
	return result;
}

#endif
