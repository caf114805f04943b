/*
 * syntax: transfer syntaxes: what DCMTK knows of them, and what is said of an image that the target
 * takes in none that was offered.
 */
#ifndef SYNTAX_H
#define SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

enum { SYNTAX_UID_SIZE = 65 };

/* The SOP class and the transfer syntax of an image in the working directory; "" what it has not.
 * Returns 0, or -1 with why when it is no DICOM file that can be read. */
int syntax_of(const char *image, char class[SYNTAX_UID_SIZE], char syntax[SYNTAX_UID_SIZE],
	char *why, size_t size);

/* True for the three uncompressed ones and for none at all, which is implicit VR little endian. */
bool syntax_uncompressed(const char *uid);
/* True when DCMTK 3.6.7 can send it. */
bool syntax_known(const char *uid);

/* Why the target did not take the image: what was offered. decompress is the setting. */
void syntax_not_accepted(const char *image, const char *decompress, char *out, size_t size);

#endif
