/*
 * dictionary: every element of PS3.6, by keyword and by number. The table is made at build
 * time from DCMTK's data dictionary; nothing is read at run time.
 */
#ifndef DICOM_DICTIONARY_H
#define DICOM_DICTIONARY_H

#include <stddef.h>
#include <stdint.h>

/* No pointers: the table stays untouched in the file until somebody looks. */
struct dicom_entry {
	uint16_t group, element;
	char vr[3]; /* "xs": US or SS, as PixelRepresentation (0028,0103) says */
	char keyword[72];
};

/* NULL when there is none. Case does not matter. */
const struct dicom_entry *dicom_dictionary_keyword(const char *keyword);

/* NULL when there is none. Knows group lengths, private creators and all of a repeating group. */
const struct dicom_entry *dicom_dictionary_tag(uint16_t group, uint16_t element);

/* The entries from 0; NULL after the last. */
const struct dicom_entry *dicom_dictionary_entry(size_t i);

#endif
