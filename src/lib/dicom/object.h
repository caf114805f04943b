/*
 * object: what must be known of a DICOM file to send it as it lies: where its data set begins, and
 * the names that the protocol carries beside it. Nothing is asked of the data set but that.
 */
#ifndef DICOM_OBJECT_H
#define DICOM_OBJECT_H

#include "dicom/dicom.h"

#include <sys/types.h>

enum { DICOM_UID_SIZE = 65 };

struct dicom_object {
	off_t begin;                    /* of the data set, behind preamble and group 0002 */
	char sop_class[DICOM_UID_SIZE]; /* (0008,0016), else (0002,0002), else "" */
	char instance[DICOM_UID_SIZE];  /* (0008,0018), else (0002,0003), else "" */
	char syntax[DICOM_UID_SIZE];    /* that it really has, as far as that can be seen */
	const char *note;               /* what the meta header says wrongly, or NULL */
	bool padded;                    /* zeros that are no element follow the last one */
};

/* Reads from the beginning of a regular file. Returns 0, or -1 with *error when it is no DICOM
 * file: one whose data set nobody understands is one when its meta header can be read. */
int dicom_read_object(int fd, struct dicom_object *object, struct dicom_error *error);

#endif
