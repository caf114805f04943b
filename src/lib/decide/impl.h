/*
 * impl: what decide.c and decide_tags.c share.
 */
#ifndef DECIDE_IMPL_H
#define DECIDE_IMPL_H

#include "decide/decide.h"
#include "rule/rule.h"
#include "dicom/dicom.h"

/* Reads the header of an image. Returns 1 when that is damaged: it has no tags then, for half of
 * them would tell half the truth. -1 with errno: it cannot be read now. dicom_header_free() frees.
 */
int decide_read(int dir, const char *image, struct dicom_header *header);

/* The tags of a header, and those of the association from series.json. The caller decrefs; NULL
 * with errno. */
json_t *decide_make_tags(const struct dicom_header *header, const json_t *series);

#endif
