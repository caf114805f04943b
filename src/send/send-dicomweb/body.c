#include "body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* What stands before a part; the first one has no line to end before it. */
static int part_begin(const struct body *b, size_t part, char *out, size_t size)
{
	return snprintf(out, size, "%s--%s\r\nContent-Type: application/dicom\r\n\r\n",
		part > 0 ? "\r\n" : "", b->boundary);
}

static int body_end(const struct body *b, char *out, size_t size)
{
	return snprintf(out, size, "\r\n--%s--\r\n", b->boundary);
}

int body_open(struct body *b, const struct sender *sender, const struct batch *batch)
{
	unsigned char random[BODY_BOUNDARY / 2];

	b->sender = sender;
	b->batch = batch;
	b->next = b->from = b->filled = 0;
	b->file = -1;
	b->left = 0;
	b->error = 0;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -1;
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(b->boundary + 2 * i, 3, "%02x", random[i]);
	b->length = body_end(b, b->buffer, BODY_BUFFER);
	for (size_t i = 0; i < batch->count; i++)
		b->length += part_begin(b, i, b->buffer, BODY_BUFFER) + batch->item[i].size;
	return 0;
}

static void close_file(struct body *b)
{
	if (b->file >= 0)
		(void)close(b->file); /* only read */
	b->file = -1;
}

/* More of the open file. A file that has grown is cut where it ended when the length was told. */
static int read_file(struct body *b)
{
	size_t want = b->left < BODY_BUFFER ? (size_t)b->left : BODY_BUFFER;
	ssize_t n;

	do
		n = read(b->file, b->buffer, want);
	while (n < 0 && errno == EINTR);
	if (n <= 0 && want > 0) {
		b->error = n < 0 ? errno : 0;
		return -1;
	}
	b->filled = (size_t)n;
	b->left -= n;
	if (b->left == 0)
		close_file(b);
	return 0;
}

static int begin_part(struct body *b)
{
	const struct batch_item *item = &b->batch->item[b->next];

	b->filled = (size_t)part_begin(b, b->next++, b->buffer, BODY_BUFFER);
	if (item->head.length > 0) { /* some hundred bytes */
		memcpy(b->buffer + b->filled, item->head.data, item->head.length);
		b->filled += item->head.length;
	}
	b->left = item->size - (off_t)item->head.length;
	b->file = open(b->sender->image[item->index].name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (b->file >= 0 && lseek(b->file, item->object.begin, SEEK_SET) >= 0)
		return 0;
	b->error = errno;
	return -1;
}

/* Fills the empty buffer. Returns 1, 0 at the end, -1 when a file cannot be read. */
static int fill(struct body *b)
{
	b->from = b->filled = 0;
	if (b->next > b->batch->count)
		return 0;
	if (b->file >= 0)
		return read_file(b) < 0 ? -1 : 1;
	if (b->next < b->batch->count)
		return begin_part(b) < 0 ? -1 : 1;
	b->filled = (size_t)body_end(b, b->buffer, BODY_BUFFER);
	b->next++;
	return 1;
}

enum body_state body_write(struct body *b, int fd)
{
	for (;;) {
		ssize_t n;

		if (b->from == b->filled) {
			int filled = fill(b);

			if (filled <= 0)
				return filled < 0 ? BODY_UNREADABLE : BODY_DONE;
		}
		n = write(fd, b->buffer + b->from, b->filled - b->from);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? BODY_MORE : BODY_REFUSED;
		b->from += (size_t)n;
	}
}

void body_close(struct body *b)
{
	close_file(b);
}
