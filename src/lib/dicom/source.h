/*
 * source: the bytes of a DICOM file in order, inflated where they are deflated.
 *
 * Reads in pieces of 4 KiB into one buffer, so memory is bounded whatever the file says. In a
 * regular file a skip is arithmetic and the bytes skipped are never read; in a pipe, or when
 * inflating, they are read and thrown away. Only the modules of dicom.h use this one.
 */
#ifndef DICOM_SOURCE_H
#define DICOM_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DICOM_SOURCE_PIECE = 4096 };

struct dicom_inflater;

struct dicom_source {
	int fd;
	bool regular;     /* pread() and skips work */
	uint64_t size;    /* of a regular file */
	uint64_t read_at; /* where in the file the next piece begins */
	uint64_t offset;  /* of the next byte to hand out; in the inflated bytes when inflating */
	struct dicom_inflater *inflater;
	size_t begin, end;  /* of the bytes in data that were not handed out yet */
	int error;          /* errno of a read that failed, or 0 */
	const char *broken; /* why the bytes end before their time, or NULL */
	unsigned char data[2 * DICOM_SOURCE_PIECE];
};

/* Starts at the beginning of a regular file, or where a pipe is. Returns 0, or -1 with errno. */
int dicom_source_open(struct dicom_source *s, int fd);
void dicom_source_close(struct dicom_source *s);

/* Makes up to want (at most DICOM_SOURCE_PIECE) bytes readable at *data without handing them out.
 * Returns how many there are; less than want only at the end, or when error or broken is set. */
size_t dicom_source_peek(struct dicom_source *s, size_t want, const unsigned char **data);

/* Hands out length bytes. False when there are fewer, or when error or broken is set. */
bool dicom_source_skip(struct dicom_source *s, uint64_t length);

/* How many bytes are left; UINT64_MAX when that cannot be known. */
uint64_t dicom_source_left(const struct dicom_source *s);

/* From here on the file is deflated (PS3.5 A.5); at most limit inflated bytes are handed out.
 * Returns 0, or -1 with errno. */
int dicom_source_inflate(struct dicom_source *s, uint64_t limit);

#endif
