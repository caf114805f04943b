/*
 * element: one data element's tag, VR and length, in any encoding (PS3.5 7.1).
 *
 * The functions of dicom_reader.h are made of these; nothing else uses them.
 */
#ifndef DICOM_ELEMENT_H
#define DICOM_ELEMENT_H

#include "dicom/reader.h"

/* Beyond int, so no enum. */
#define DICOM_ITEM         UINT32_C(0xfffee000)
#define DICOM_ITEM_END     UINT32_C(0xfffee00d)
#define DICOM_SEQUENCE_END UINT32_C(0xfffee0dd)

/* Reads tag, VR and length. Returns 1, 0 when there are no more bytes, -1 on error. */
int dicom_element_read(struct dicom_reader *r, struct dicom_element *e);

/* Checks the length against what is left of the file. Returns 0 or -1. */
int dicom_element_check(struct dicom_reader *r, const struct dicom_element *e);

/* Skips as many bytes as the length says. Returns 0 or -1. */
int dicom_element_skip(struct dicom_reader *r, const struct dicom_element *e);

uint32_t dicom_number16(const unsigned char *p, bool big_endian);
uint32_t dicom_number32(const unsigned char *p, bool big_endian);

/* Settles the encoding inside an element of VR UN whose value, which begins here, consists of
 * items. */
void dicom_unknown_enter(struct dicom_reader *r);

/* True for the VRs of PS3.5 6.2. */
bool dicom_vr_known(const unsigned char *vr);

#endif
