/*
 * image: a DICOM file as it comes: whether it can be an image of a series, and what its series is
 * known by.
 */
#ifndef SPOOL_IMAGE_H
#define SPOOL_IMAGE_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "dicom/dicom.h"

/* Why this image cannot be filed ("has no SOPInstanceUID (0008,0018)"), or NULL. */
const char *image_objection(const struct dicom_header *header);

/* series.json of a series' first image. sender: association.json's object, or NULL. The caller
 * decrefs; NULL with errno. */
json_t *image_series(const struct dicom_header *header, int64_t received_us, json_t *sender);

/* Is it the same image as the one there (dir/name): the same data set in the same transfer syntax?
 * The meta header tells who sent it ((0002,0016), written by storescp), so it may differ. 1, 0, or
 * -1 with errno. */
int image_is_same(const struct dicom_header *header, int fd, int dir, const char *name);

#endif
