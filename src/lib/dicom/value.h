/*
 * value: the bytes of one value as UTF-8 text. Only the modules of dicom.h use this one.
 */
#ifndef DICOM_VALUE_H
#define DICOM_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dicom/charset.h"

/* Adds the text of a value to out: text as the character set says, without trailing spaces and
 * NULs (a NUL inside becomes U+FFFD, so that a UID with one is no valid UID); binary numbers in
 * decimal. The VR in the file (found, two letters; "" in implicit VR) tells which; where it says
 * nothing, the one that PS3.6 gives does (expected, "" for private elements); where both say
 * nothing, bytes that are no text add nothing. Returns false when something had to be replaced or
 * guessed. */
bool dicom_value_text(const struct charset *charset, const char *expected, const char *found,
	bool big_endian, const unsigned char *data, size_t length, struct buf *out);

#endif
