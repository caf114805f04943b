/*
 * sink: the discarding DICOM target at the far end of `make bench`, on loopback only.
 *
 * Accepts each presentation context in its first transfer syntax and answers every C-STORE with
 * status 0000. The kernel throws the data sets away (MSG_TRUNC on a stream, tcp(7)), so that next
 * to no time of the machine under measurement goes into the sink. After each COUNT images it prints
 * a line: when the first and the last of them had come in, seconds since 1970. A thread per
 * connection; ends by a signal.
 */
#define _GNU_SOURCE
#include "part10.h"
#include "pdu.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

enum { OK, FAILED, USAGE };
enum { COMMAND = 1, LAST = 2 }; /* a fragment's control header, PS3.8 E.2 */
enum { FRAGMENT_HEAD = 6, COMMAND_MAX = 1 << 16, FIXED = 68, HAS_NO_DATA = 0x0101 };

static struct {
	pthread_mutex_t lock;
	long wanted, count;
	struct timespec first;
} images = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void count_image(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	(void)pthread_mutex_lock(&images.lock);
	if (images.count++ == 0)
		images.first = now;
	if (images.count == images.wanted) {
		printf("%lld.%06ld %lld.%06ld\n", (long long)images.first.tv_sec,
			images.first.tv_nsec / 1000, (long long)now.tv_sec, now.tv_nsec / 1000);
		images.count = 0;
	}
	(void)pthread_mutex_unlock(&images.lock);
}

static bool discard(int fd, size_t length)
{
	while (length) {
		ssize_t n = recv(fd, NULL, length, MSG_TRUNC);

		if (n <= 0)
			return false;
		length -= (size_t)n;
	}
	return true;
}

/* A presentation context proposed becomes one accepted: PS3.8 9.3.2.2 and 9.3.3.2. */
static bool accept_context(struct buf *out, const char *item, size_t length)
{
	struct buf inner = { 0 };
	size_t skip = length < 8 ? length : 8 + pdu_number(item + 6, 2), size;

	if (length < skip + 4 || (size = pdu_number(item + skip + 2, 2)) > length - skip - 4)
		return false;
	buf_add(&inner, item, 1);
	buf_add(&inner, "\0\0\0", 3);
	pdu_item(&inner, 0x40, item + skip + 4, size);
	pdu_item(out, 0x21, inner.data, inner.length);
	buf_free(&inner);
	return true;
}

static bool accept_association(int fd, const struct buf *request)
{
	static const char application[] = "1.2.840.10008.3.1.1.1";
	struct buf body = { 0 }, user = { 0 }, out = { 0 };
	const struct writer head = { .out = &out, .big = true };
	bool good = request->length >= FIXED;

	if (good)
		buf_add(&body, request->data, FIXED);
	pdu_item(&body, 0x10, application, strlen(application));
	for (size_t at = FIXED; good && at + 4 <= request->length;) {
		const char *item = request->data + at;
		size_t length = pdu_number(item + 2, 2);

		at += 4 + length;
		if (at > request->length)
			good = false;
		else if (item[0] == 0x20)
			good = accept_context(&body, item + 4, length);
	}
	pdu_item(&user, 0x51, "\0\2\0\0", 4); /* longest PDU: 131072 */
	pdu_item(&user, 0x52, "2.25.1", 6);
	pdu_item(&body, 0x50, user.data, user.length);
	put_u16(&head, PDU_ASSOCIATE_AC << 8);
	put_u32(&head, (uint32_t)body.length);
	buf_add(&out, body.data, body.length);
	good = good && !out.failed && pdu_send(fd, out.data, out.length) == 0;
	buf_free(&user);
	buf_free(&body);
	buf_free(&out);
	return good;
}

/* Copies an element of the request into the response. */
static void copy_element(
	const struct writer *to, const struct buf *request, unsigned from, unsigned as)
{
	const struct buf *r = request;

	for (size_t at = 0; at + 8 <= r->length;) {
		const uint8_t *p = (const uint8_t *)r->data + at;
		size_t length = (size_t)part10_number(p + 4, 4);

		if (length > r->length - at - 8)
			return;
		if (part10_number(p, 2) == 0 && part10_number(p + 2, 2) == from)
			put_bytes(to, 0, as, "UI", p + 8, length);
		at += 8 + length;
	}
}

/* The response to a C-STORE-RQ: PS3.7 9.3.1.2. */
static bool answer(int fd, unsigned context, const struct buf *request)
{
	struct buf rest = { 0 }, command = { 0 };
	const struct writer w = { .out = &rest }, head = { .out = &command };
	bool good;

	copy_element(&w, request, 0x0002, 0x0002); /* SOP class */
	put_us(&w, 0, 0x0100, 0x8001);
	copy_element(&w, request, 0x0110, 0x0120); /* message ID */
	put_us(&w, 0, 0x0800, HAS_NO_DATA);
	put_us(&w, 0, 0x0900, 0);
	copy_element(&w, request, 0x1000, 0x1000); /* SOP instance */
	put_head(&head, 0, 0, "UL", 4);
	put_u32(&head, (uint32_t)rest.length);
	buf_add(&command, rest.data, rest.length);
	good = !rest.failed && !command.failed &&
	       pdu_send_data(fd, context, true, command.data, command.length, 16384, true) == 0;
	buf_free(&rest);
	buf_free(&command);
	return good;
}

/* A fragment's bytes: those of a data set go, those of a command are kept. */
static bool take_fragment(int fd, bool is_command, size_t size, struct buf *command)
{
	struct buf part = { 0 };
	bool good;

	if (!is_command)
		return discard(fd, size);
	good = command->length + size <= COMMAND_MAX && pdu_receive_bytes(fd, &part, size) == 1;
	buf_add(command, part.data, part.length);
	buf_free(&part);
	return good;
}

/* One P-DATA-TF PDU of length bytes; what it begins may go on in the next. */
static bool take_data(int fd, size_t length, struct buf *command)
{
	while (length) {
		uint8_t head[FRAGMENT_HEAD];
		size_t size;

		if (length < sizeof(head) ||
			recv(fd, head, sizeof(head), MSG_WAITALL) != sizeof(head))
			return false;
		size = pdu_number(head, 4) - 2;
		if (size > length - sizeof(head) ||
			!take_fragment(fd, head[5] & COMMAND, size, command))
			return false;
		length -= sizeof(head) + size;
		if ((head[5] & (COMMAND | LAST)) != LAST)
			continue;
		count_image();
		if (!answer(fd, head[4], command))
			return false;
		command->length = 0;
	}
	return true;
}

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	struct buf command = { 0 }, body = { 0 };
	bool good = true;
	char head[6];

	while (good && recv(fd, head, sizeof(head), MSG_WAITALL) == sizeof(head)) {
		size_t length = pdu_number(head + 2, 4);

		if (head[0] == PDU_DATA)
			good = take_data(fd, length, &command);
		else
			good = length <= PDU_MAX && pdu_receive_bytes(fd, &body, length) == 1;
		if (good && head[0] == PDU_ASSOCIATE_RQ)
			good = accept_association(fd, &body);
		else if (good && head[0] == PDU_RELEASE_RQ)
			good = pdu_send(fd, "\6\0\0\0\0\4\0\0\0", 10) == 0;
	}
	buf_free(&command);
	buf_free(&body);
	(void)close(fd); /* a socket */
	return NULL;
}

static int listen_on(long port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	/* TCP_NODELAY is inherited by the sockets accepted. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
		bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64))
		die(FAILED, "unable to listen on port %ld: %s", port, strerror(errno));
	return fd;
}

int main(int argc, char *argv[])
{
	pthread_t thread;
	long port;
	int fd;

	log_open(argv[0]);
	if (argc != 3 || parse_long(argv[1], 1, 65535, &port) ||
		parse_long(argv[2], 1, INT32_MAX, &images.wanted))
		die(USAGE, "usage: sink PORT COUNT");
	setvbuf(stdout, NULL, _IOLBF, 0); /* a bench follows it */
	fd = listen_on(port);
	for (;;) {
		int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		int failure = connection < 0 ? errno
					     : pthread_create(&thread, NULL, serve,
						       (void *)(intptr_t)connection);

		if (failure)
			die(FAILED, "unable to take a connection: %s", strerror(failure));
		(void)pthread_detach(
			thread); /* nobody waits for it; fails only for a wrong number */
	}
}
