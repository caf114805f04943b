/*
 * reader: the top-level elements of a DICOM file, one after the other, in any encoding.
 *
 * The encoding is taken from the first bytes of the meta header and of the data set; what the
 * transfer syntax says matters only for deflated data sets, and where those bytes leave a doubt.
 * Only the modules of dicom.h use this one.
 */
#ifndef DICOM_READER_H
#define DICOM_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "dicom/dicom.h"
#include "dicom/source.h"

struct dicom_encoding {
	bool implicit, big_endian;
};

struct dicom_reader {
	struct dicom_encoding encoding;
	bool magic;              /* "DICM" was there, so this is a DICOM file for sure */
	bool in_meta;            /* the elements of group 0002 */
	bool declared, standard; /* there is a transfer syntax; it is one of DICOM's own */
	bool deflated;           /* it says so */
	struct dicom_encoding syntax;
	const char *note;       /* what the meta header says wrongly, or NULL */
	uint64_t meta_end;      /* by its group length, 0 when it has none */
	uint64_t inflate_limit; /* bytes */
	uint32_t last;          /* the tag of the element before */
	struct dicom_error *error;
	struct dicom_source source;
};

/* The length of a value that a delimiter ends. */
#define DICOM_UNDEFINED UINT32_MAX

struct dicom_element {
	uint32_t tag; /* group << 16 | element */
	char vr[3];   /* "" when implicit */
	uint32_t length;
	uint64_t offset; /* of its tag; in the inflated bytes of a deflated data set */
};

/* Finds the first element. Returns 0, or -1 with *error. dicom_reader_close() in both cases. */
int dicom_reader_open(
	struct dicom_reader *r, int fd, uint64_t inflate_limit, struct dicom_error *error);
void dicom_reader_close(struct dicom_reader *r);

/* Reads the next element up to its value. Returns 1, 0 at the end of the data set, -1 on error. */
int dicom_reader_next(struct dicom_reader *r, struct dicom_element *e);

/* Skips the value of the element just read, with all that is nested in it. Returns 0 or -1. */
int dicom_reader_skip(struct dicom_reader *r, const struct dicom_element *e);

/* True when the element's value consists of items. */
bool dicom_element_nests(const struct dicom_element *e);

/* Writes "offset N: ..." into the error, or what the source says if that has failed. Returns -1. */
int dicom_reader_fail(struct dicom_reader *r, uint64_t offset, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
