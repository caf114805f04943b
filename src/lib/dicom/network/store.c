/*
 * store: the operations of association.h. A request goes out with as much of its data set as fits
 * into one buffer, so that a small image is one write(2).
 */
#define _GNU_SOURCE /* preadv */
#include "dicom/network/association_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

enum { PIECES = 64, COMMAND_LONGEST = 64 * 1024, MESSAGE_LAST = 65535 };

/* The peer has gone while we wrote: what it said last is more than "Broken pipe". */
static int last_words(struct association *a)
{
	bool data = false;

	while (connection_peek(&a->connection) > 0)
		if (association_glance(a, &data) < 0 || data)
			break;
	return association_broken(a);
}

/* What has come in while we still have something to write? Returns 0 or -1. */
static int look(struct association *a)
{
	if (connection_peek(&a->connection) < 0 || association_glance(a, &a->early) < 0)
		return association_broken(a);
	return 0;
}

int association_push(struct association *a, const void *data, size_t length)
{
	const unsigned char *p = data;

	while (length > 0) {
		/* Once answered, there is no more to be looked at until we are through. */
		ssize_t n = connection_write(&a->connection, p, length, !a->early);

		if (n < 0)
			return last_words(a);
		if (n == 0 && look(a) < 0)
			return -1;
		p += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Reads all pieces from where they lie in the file. Returns 0, or -1 with errno; 0: it is too
 * short. */
static int read_pieces(int fd, struct iovec *piece, int count, off_t at)
{
	while (count > 0) {
		ssize_t n = preadv(fd, piece, count, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = 0;
		if (n <= 0)
			return -1;
		at += n;
		while (count > 0 && (size_t)n >= piece->iov_len) {
			n -= (ssize_t)piece->iov_len;
			piece++;
			count--;
		}
		if (count > 0) {
			piece->iov_base = (char *)piece->iov_base + n;
			piece->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* A file that grows or shrinks meanwhile is not sent to its end. */
static bool has_length(const struct association_data *data)
{
	struct stat st;

	return fstat(data->fd, &st) == 0 && st.st_size == data->from + data->length;
}

/* Sends the data set behind what is in a->out already. */
static int send_data(
	struct association *a, uint8_t context, const struct association_data *data, size_t used)
{
	const size_t pad = data->pad && data->length % 2;
	off_t at = data->from, left = data->length;
	struct iovec piece[PIECES];
	bool last = false;

	while (!last) {
		const off_t from = at;
		int count = 0;

		while (!last && count < PIECES &&
			used + WIRE_DATA_HEAD + a->chunk <= ASSOCIATION_OUT) {
			size_t size = left < (off_t)a->chunk ? (size_t)left : a->chunk, more;

			last = (off_t)size == left;
			more = last ? pad : 0; /* of an odd last piece, so there is room */
			wire_data_head(a->out + used, context, last ? WIRE_LAST : 0, size + more);
			used += WIRE_DATA_HEAD;
			if (size > 0)
				piece[count++] = (struct iovec){ a->out + used, size };
			used += size;
			if (more)
				a->out[used++] = 0;
			left -= (off_t)size;
			at += (off_t)size;
		}
		if (read_pieces(data->fd, piece, count, from) < 0 || (last && !has_length(data)))
			return association_fail(a, ASSOCIATION_OURS, "unable to read the image: %s",
				errno ? strerror(errno) : "it changed while it was sent");
		if (!a->early && look(a) < 0)
			return -1;
		if (association_push(a, a->out, used) < 0)
			return -1;
		used = 0;
	}
	return 0;
}

/* Adds a PDU's values to the command set. Returns 1 when that is whole, 0, or -1. */
static int gather(
	struct association *a, size_t index, struct wire_view content, struct buf *command)
{
	bool whole = false;
	struct wire_pdv pdv;

	while (content.left > 0) {
		if (!wire_take_pdv(&content, &pdv) || whole)
			return association_fail(a, ASSOCIATION_GARBAGE,
				"the target's answer is cut off or more than one");
		if (pdv.context != associate_context(index) || !(pdv.control & WIRE_COMMAND))
			return association_fail(a, ASSOCIATION_GARBAGE,
				"the target answers with a data set or in another context");
		buf_add(command, pdv.data.at, pdv.data.left);
		if (command->failed || command->length > COMMAND_LONGEST)
			return association_fail(
				a, ASSOCIATION_GARBAGE, "the target's answer is too long");
		whole = pdv.control & WIRE_LAST;
	}
	return whole;
}

static int read_command(struct association *a, size_t index, struct buf *command)
{
	struct wire_view content;
	int64_t deadline = 0;
	unsigned int type;
	int got = 0;

	while (got == 0) {
		if (association_next(a, deadline, &type, &content) < 0)
			return -1;
		if (type != WIRE_DATA)
			return association_unexpected(a, type, &content);
		got = gather(a, index, content, command);
		association_consume(a, &content);
		if (!deadline)
			deadline = connection_now() + a->connection.timeout_ms;
	}
	return got < 0 ? -1 : 0;
}

/* Reads the response to the request just sent, and no other one. */
static int receive(struct association *a, size_t index, int expected, const char *instance,
	struct dimse_response *r)
{
	struct buf command = { 0 };
	const char *wrong = NULL;

	if (read_command(a, index, &command) < 0) {
		buf_free(&command);
		return -1;
	}
	wrong = dimse_parse((const unsigned char *)command.data, command.length, r);
	buf_free(&command);
	if (!wrong && r->command != (expected | DIMSE_RESPONSE))
		wrong = "it is no response to this kind of request";
	else if (!wrong && r->message != a->message)
		wrong = "it belongs to another request";
	else if (!wrong && r->instance[0] && instance && strcmp(r->instance, instance) != 0)
		wrong = "it belongs to another image";
	else if (!wrong && dimse_has_data(r))
		wrong = "it announces a data set";
	else if (!wrong && r->status < 0)
		wrong = "it has no status";
	else if (!wrong && a->early && !dimse_refuses(r))
		wrong = "it came before the image was sent to its end";
	if (wrong)
		return association_fail(
			a, ASSOCIATION_GARBAGE, "the target's answer does not count: %s", wrong);
	return 0;
}

static void next_message(struct association *a)
{
	a->early = false;
	a->message = a->message == MESSAGE_LAST ? 1 : (uint16_t)(a->message + 1);
}

/* A command set in one PDU at the beginning of a->out, or in several. Returns how long it is, 0
 * when there is no room. */
static size_t put_command(struct association *a, uint8_t context, const struct buf *command)
{
	size_t used = 0, left = command->length;

	while (left > 0) {
		const size_t size = left < a->chunk ? left : a->chunk;

		if (used + WIRE_DATA_HEAD + size > ASSOCIATION_OUT / 2)
			return 0;
		wire_data_head(a->out + used, context,
			WIRE_COMMAND | (size == left ? WIRE_LAST : 0), size);
		memcpy(a->out + used + WIRE_DATA_HEAD, command->data + (command->length - left),
			size);
		used += WIRE_DATA_HEAD + size;
		left -= size;
	}
	return used;
}

int association_store(struct association *a, size_t index, const char *instance,
	const struct association_data *data, struct dimse_response *response)
{
	struct buf command = { 0 };
	size_t used = 0;

	next_message(a);
	dimse_store_request(&command, a->message, a->proposal[index].abstract, instance);
	if (!command.failed)
		used = put_command(a, associate_context(index), &command);
	buf_free(&command);
	if (used == 0)
		return association_fail(a, ASSOCIATION_OURS, "out of memory");
	if (send_data(a, associate_context(index), data, used) < 0)
		return -1;
	return receive(a, index, DIMSE_STORE, instance, response);
}

int association_echo(struct association *a, size_t index, struct dimse_response *response)
{
	struct buf command = { 0 };
	size_t used = 0;

	next_message(a);
	dimse_echo_request(&command, a->message);
	if (!command.failed)
		used = put_command(a, associate_context(index), &command);
	buf_free(&command);
	if (used == 0)
		return association_fail(a, ASSOCIATION_OURS, "out of memory");
	if (association_push(a, a->out, used) < 0)
		return -1;
	return receive(a, index, DIMSE_ECHO, NULL, response);
}
