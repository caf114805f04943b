/*
 * dicom_test: makes DICOM files in memory, as right or as wrong as a test wants them, and has them
 * read. The file that includes this defines _GNU_SOURCE, for memfd_create().
 */
#ifndef DICOM_TEST_H
#define DICOM_TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dicom/dicom.h"
#include "base/str.h"
#include "tap.h"

#define UNDEFINED UINT32_MAX
#define IMPLICIT  "1.2.840.10008.1.2"
#define EXPLICIT  "1.2.840.10008.1.2.1"
#define BIG       "1.2.840.10008.1.2.2"
#define DEFLATED  "1.2.840.10008.1.2.1.99"
#define JPEG      "1.2.840.10008.1.2.4.50"

/* How what is added from now on is written. */
struct writer {
	struct buf b;
	bool implicit, big;
};

static inline void put(struct writer *w, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		buf_add(&w->b,
			&(unsigned char){
				(unsigned char)(value >> 8 * (w->big ? bytes - 1 - i : i)) },
			1);
}

static inline void put_tag(struct writer *w, uint32_t tag)
{
	put(w, tag >> 16, 2);
	put(w, tag & 0xffff, 2);
}

/* Tag, VR and length; the caller adds the value. vr of four letters: with 32 bits of length. */
static inline void head(struct writer *w, uint32_t tag, const char *vr, uint32_t length)
{
	put_tag(w, tag);
	if (w->implicit || tag >> 16 == 0xfffe) {
		put(w, length, 4);
		return;
	}
	buf_add(&w->b, vr, 2);
	if (strlen(vr) == 4)
		put(w, 0, 2);
	put(w, length, strlen(vr) == 4 ? 4 : 2);
}

static inline void element(
	struct writer *w, uint32_t tag, const char *vr, const char *value, size_t n)
{
	head(w, tag, vr, (uint32_t)(n + n % 2));
	buf_add(&w->b, value, n);
	if (n % 2)
		buf_add(&w->b, strcmp(vr, "UI") ? " " : "\0", 1);
}

static inline void text(struct writer *w, uint32_t tag, const char *vr, const char *value)
{
	element(w, tag, vr, value, strlen(value));
}

/* Preamble, "DICM" and a meta header, which is always explicit little endian. */
static inline void meta(struct writer *w, const char *syntax)
{
	static const char preamble[128];
	struct writer m = { .implicit = false };

	text(&m, 0x00020010, "UI", syntax);
	buf_add(&w->b, preamble, sizeof(preamble));
	buf_puts(&w->b, "DICM");
	buf_add(&w->b, "\2\0\0\0UL\4\0", 8);
	buf_add(&w->b, &(unsigned char[4]){ (unsigned char)m.b.length }, 4);
	buf_add(&w->b, m.b.data, m.b.length);
	buf_free(&m.b);
}

#define SERIES "1.2.840.99.7"

static struct dicom_header header;
static struct dicom_error error;
static int rc;

/* Reads length bytes at data; walk instead when told. Leaves rc, header and error. */
static inline void run_bytes(const char *data, size_t length, bool walk)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	dicom_header_free(&header);
	if (fd < 0 || (length > 0 && write(fd, data, length) != (ssize_t)length))
		abort();
	rc = walk ? dicom_walk(fd, &error) : dicom_read_header(fd, &header, &error);
	(void)close(fd);
}

static inline void run(struct writer *w)
{
	run_bytes(w->b.data, w->b.length, false);
}

/* Walks, and frees what was written. */
static inline void walk(struct writer *w)
{
	run_bytes(w->b.data, w->b.length, true);
	buf_free(&w->b);
}

static inline bool got(const char *keyword, const char *value)
{
	bool same = rc == 0 && strcmp(dicom_get(&header, keyword), value) == 0;

	if (!same)
		printf("# %s is \"%s\", error \"%s\"\n", keyword, dicom_get(&header, keyword),
			error.text);
	return same;
}

static inline bool failed(const char *reason)
{
	bool as_expected = rc == -1 && strstr(error.text, reason) && strstr(error.text, "offset ");

	if (!as_expected)
		printf("# rc %d, error \"%s\"\n", rc, error.text);
	return as_expected;
}

/* One strange element between Modality and SeriesInstanceUID, written by the caller's code. */
#define AROUND(w, code)                                                                            \
	do {                                                                                       \
		buf_free(&(w)->b);                                                                 \
		meta((w), EXPLICIT);                                                               \
		text((w), 0x00080060, "CS", "CT");                                                 \
		code;                                                                              \
		text((w), 0x0020000e, "UI", SERIES);                                               \
		run(w);                                                                            \
	} while (0)

#endif
