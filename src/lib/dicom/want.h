/*
 * want: the tags that are read besides the fixed list, as steps from the top level down.
 * Only the modules of dicom.h use this one.
 */
#ifndef DICOM_WANT_H
#define DICOM_WANT_H

#include <stddef.h>
#include <stdint.h>

#include "dicom/dicom.h"

enum { DICOM_WANTS = 64, DICOM_STEPS = 8, DICOM_CREATOR = 64 /* LO, PS3.5 6.2 */ };

struct dicom_step {
	uint32_t tag;                    /* with a creator: its block is 0 */
	uint32_t item;                   /* of the sequence; of the last step 0 */
	char creator[DICOM_CREATOR + 1]; /* of a private element (PS3.5 7.8.1), or "" */
};

struct dicom_want {
	struct dicom_step step[DICOM_STEPS];
	size_t steps;
	char name[256];
};

/* dicom_wants[i] is dicom_tags[dicom_fixed_count + i]. */
extern struct dicom_want dicom_wants[DICOM_WANTS];
extern size_t dicom_want_count;
extern const size_t dicom_fixed_count;

/* Makes dicom_wants[dicom_want_count] known under its name. */
void dicom_tags_add(struct dicom_want *want, const char *vr);

#endif
