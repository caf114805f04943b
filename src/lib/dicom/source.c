#include "dicom/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

struct dicom_inflater {
	z_stream z;
	bool ended;
	uint64_t limit; /* inflated bytes that may still come */
	unsigned char input[2 * DICOM_SOURCE_PIECE];
};

int dicom_source_open(struct dicom_source *s, int fd)
{
	struct stat st;

	memset(s, 0, offsetof(struct dicom_source, data));
	s->fd = fd;
	if (fstat(fd, &st) < 0)
		return -1;
	s->regular = S_ISREG(st.st_mode);
	s->size = (uint64_t)st.st_size;
	return 0;
}

void dicom_source_close(struct dicom_source *s)
{
	if (s->inflater)
		(void)inflateEnd(&s->inflater->z); /* only tells that we stopped early */
	free(s->inflater);
	s->inflater = NULL;
}

/* The next bytes of the file as they are: 0 at its end or after an error. A regular file ends where
 * it ended when it was opened, or the arithmetic of skips would not hold while it grows. */
static size_t read_raw(struct dicom_source *s, unsigned char *to, size_t length)
{
	ssize_t n;

	if (s->regular && length > s->size - s->read_at)
		length = (size_t)(s->size - s->read_at);
	if (length == 0)
		return 0;

	do
		n = s->regular ? pread(s->fd, to, length, (off_t)s->read_at)
			       : read(s->fd, to, length);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		s->error = errno;
		return 0;
	}
	if (n == 0 && s->regular)
		s->broken = "the file shrank while it was read";
	s->read_at += (uint64_t)n;
	return (size_t)n;
}

static size_t read_inflated(struct dicom_source *s, unsigned char *to, size_t length)
{
	struct dicom_inflater *i = s->inflater;
	size_t n;
	int rc;

	if (i->ended)
		return 0;
	if (i->limit == 0) {
		s->broken = "the deflated data set inflates to more than is allowed";
		return 0;
	}
	if (length > i->limit)
		length = (size_t)i->limit;
	i->z.next_out = to;
	i->z.avail_out = (uInt)length;
	do {
		if (i->z.avail_in == 0) {
			i->z.next_in = i->input;
			i->z.avail_in = (uInt)read_raw(s, i->input, sizeof(i->input));
		}
		rc = inflate(&i->z, Z_NO_FLUSH);
	} while (rc == Z_OK && i->z.avail_out == length);
	n = length - i->z.avail_out;
	i->limit -= n;
	i->ended = rc == Z_STREAM_END;
	if (rc == Z_BUF_ERROR && !s->error)
		s->broken = "the file ends inside the deflated data set";
	else if (rc == Z_MEM_ERROR)
		s->error = ENOMEM;
	else if (rc != Z_OK && rc != Z_STREAM_END && !s->error)
		s->broken = "the deflated data set is damaged";
	return n;
}

static size_t read_piece(struct dicom_source *s, unsigned char *to, size_t length)
{
	if (s->error || s->broken)
		return 0;
	return s->inflater ? read_inflated(s, to, length) : read_raw(s, to, length);
}

size_t dicom_source_peek(struct dicom_source *s, size_t want, const unsigned char **data)
{
	size_t n;

	if (s->end - s->begin < want && s->begin > 0) {
		memmove(s->data, s->data + s->begin, s->end - s->begin);
		s->end -= s->begin;
		s->begin = 0;
	}
	while (s->end - s->begin < want) {
		n = read_piece(s, s->data + s->end, DICOM_SOURCE_PIECE);
		if (n == 0)
			break;
		s->end += n;
	}
	*data = s->data + s->begin;
	return s->end - s->begin < want ? s->end - s->begin : want;
}

uint64_t dicom_source_left(const struct dicom_source *s)
{
	if (s->inflater || !s->regular)
		return UINT64_MAX;
	return s->offset < s->size ? s->size - s->offset : 0;
}

bool dicom_source_skip(struct dicom_source *s, uint64_t length)
{
	const unsigned char *data;
	size_t n;

	if (length > dicom_source_left(s))
		return false;
	while (length > s->end - s->begin) {
		n = s->end - s->begin;
		s->offset += n;
		length -= n;
		s->begin = s->end = 0;
		if (s->regular && !s->inflater) {
			s->offset += length;
			s->read_at = s->offset;
			return true;
		}
		if (dicom_source_peek(s, 1, &data) == 0)
			return false;
	}
	s->begin += (size_t)length;
	s->offset += length;
	return true;
}

/* PS3.5 A.5 wants a bare deflate stream (RFC 1951), but writers are known that wrap it in a zlib
 * header (RFC 1950); DCMTK has a switch for them, here the first two bytes tell. A bare stream
 * does not begin so: it would be a stored block with a bit set in the padding after its type. */
static bool has_zlib_header(const unsigned char *p)
{
	return (p[0] & 0x0f) == Z_DEFLATED && (p[0] >> 4) <= 7 && (p[0] << 8 | p[1]) % 31 == 0;
}

int dicom_source_inflate(struct dicom_source *s, uint64_t limit)
{
	const unsigned char *data;
	size_t n = dicom_source_peek(s, 2, &data);
	struct dicom_inflater *i = calloc(1, sizeof(*i));
	int bits = n == 2 && has_zlib_header(data) ? MAX_WBITS : -MAX_WBITS;

	if (!i || inflateInit2(&i->z, bits) != Z_OK) {
		free(i);
		errno = ENOMEM;
		return -1;
	}
	/* What was read ahead goes first; the rest follows where the last piece ended. */
	memcpy(i->input, s->data + s->begin, s->end - s->begin);
	i->z.next_in = i->input;
	i->z.avail_in = (uInt)(s->end - s->begin);
	i->limit = limit;
	s->inflater = i;
	s->begin = s->end = 0;
	return 0;
}
