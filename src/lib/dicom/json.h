/*
 * json: a header as JSON.
 */
#ifndef DICOM_JSON_H
#define DICOM_JSON_H

#include <jansson.h>

#include "dicom/dicom.h"

/* {"Modality": "MR", ...}: all of dicom_tags in their order, an absent one is "". The caller owns
 * it; NULL without memory. */
json_t *dicom_json(const struct dicom_header *header);

/* Adds "charset_problem": true when text could not be converted faithfully, and "note" when the
 * meta header lies. Returns 0, or -1 without memory. */
int dicom_json_problems(json_t *object, const struct dicom_header *header);

#endif
