/*
 * convert: an image in another transfer syntax, by DCMTK's dcmconv, dcmdjpeg, dcmdrle or dcmdjpls.
 * The copy has no name on disk, so nothing is left of it whatever happens.
 */
#ifndef CONVERT_H
#define CONVERT_H

#include <stddef.h>

/* Converts an image of the working directory; option is the tool's for the syntax. Returns the
 * descriptor of the copy, or -1 with why; *ours when the image is not to blame. */
int convert(
	const char *tool, const char *option, const char *image, int *ours, char *why, size_t size);

#endif
