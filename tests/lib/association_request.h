/* Association requests as a caller would write them, for the tests of what reads them. */
#ifndef ASSOCIATION_REQUEST_H
#define ASSOCIATION_REQUEST_H

#include "dicom/network/acceptor.h"

#include <string.h>

#define CT   "1.2.840.10008.5.1.4.1.1.2"
#define MR   "1.2.840.10008.5.1.4.1.1.4"
#define T(n) "1.2.840.10008.1.2.4." #n

static struct buf pdu;
static struct acceptor_request request;

static void add_item(struct buf *b, int type, const void *data, size_t length)
{
	const unsigned char head[4] = { (unsigned char)type, 0, (unsigned char)(length >> 8),
		(unsigned char)length };

	buf_add(b, head, sizeof(head));
	buf_add(b, data, length);
}

static void begin(const char *called, const char *calling)
{
	buf_free(&pdu);
	buf_add(&pdu, "\1\0\0\0\0\0\0\1\0\0", 10);
	buf_printf(&pdu, "%-16s%-16s%32s", called, calling, "");
}

/* A context of a SOP class and a list of transfer syntaxes, ending with NULL. */
static void context(const char *class, const char *const *syntax)
{
	struct buf b = { 0 };

	buf_add(&b, "\1\0\0\0", 4);
	add_item(&b, 0x30, class, strlen(class));
	for (; *syntax; syntax++)
		add_item(&b, 0x40, *syntax, strlen(*syntax));
	add_item(&pdu, 0x20, b.data, b.length);
	buf_free(&b);
}

static const char *parse(size_t cut)
{
	return acceptor_parse((unsigned char *)pdu.data, pdu.length - cut, &request);
}

#endif
