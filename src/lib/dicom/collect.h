/*
 * collect: gathers the bytes of the values that are wanted, in one pass over the file.
 *
 * A sequence is entered only where a path leads into it, so no more than DICOM_STEPS deep; all
 * others are skipped. Only dicom.c uses this module.
 */
#ifndef DICOM_COLLECT_H
#define DICOM_COLLECT_H

#include "dicom/reader.h"
#include "dicom/want.h"
#include "base/str.h"

/* A value as it is in the file. Text is converted at the end, because SpecificCharacterSet may come
 * late in a file that is out of order. */
struct dicom_raw {
	bool present, big_endian;
	char vr[3];
	size_t at, length; /* in the collected bytes */
};

struct dicom_collection {
	struct dicom_raw *value; /* one per tag of dicom_tags; the caller's */
	struct buf bytes;
	bool pixels_signed; /* PixelRepresentation (0028,0103) */
	struct dicom_raw
		set[DICOM_WANTS]; /* SpecificCharacterSet of the item that a path leads to */
	/* The block that a step's creator has reserved (PS3.5 7.8.1), 0: none yet. A path leads
	 * through one item of each sequence, so there is one for each step; of several the first
	 * counts. */
	unsigned char block[DICOM_WANTS][DICOM_STEPS];
};

/* Reads up to the last tag that is wanted. Returns 0 or -1. */
int dicom_collect(struct dicom_reader *r, struct dicom_collection *c);

#endif
