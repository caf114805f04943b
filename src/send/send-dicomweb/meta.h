/*
 * meta: what has to stand before a data set that came without it: STOW-RS carries files (PS3.18
 * 8.7.3), and the file meta information is the part of a file that says how to read the rest.
 */
#ifndef META_H
#define META_H

#include "base/str.h"
#include "dicom/object.h"

#include <stdbool.h>

/* 1: the file begins with preamble and "DICM", 0: it does not, -1 with errno. */
int meta_has(int fd);

/* Preamble, prefix and group 0002 (PS3.10 7.1) for the data set of this object, at the end of
 * out. */
void meta_make(const struct dicom_object *object, struct buf *out);

#endif
