/*
 * dicom: reads the header of a DICOM file, never its pixel data.
 *
 * What it reads, what it accepts and what it refuses is specified in getdcmtags(1). Both entry
 * points take any file: memory is bounded (16 MiB, usually 20 KiB; 1 MiB more for each tag that was
 * added), nothing recurses on the input, and a bad file ends in one line that names offset and
 * reason.
 */
#ifndef DICOM_H
#define DICOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The tags that are read: those that always are, in the order of their numbers (PS3.6), then those
 * that were wanted besides. One list for the process. */
struct dicom_tag {
	uint16_t group, element;
	char vr[3];          /* of PS3.6; "" when it is not known */
	const char *keyword; /* PS3.6's, e.g. "SeriesInstanceUID", or the name that was given */
};
extern const struct dicom_tag *dicom_tags;
extern size_t dicom_tag_count;

/* The index in dicom_tags of a keyword or name, case-insensitive, or -1. */
int dicom_tag_index(const char *keyword);

struct dicom_want_error {
	char text[192];   /* one line */
	char keyword[72]; /* the one that the standard does not have, or "" */
};

/* Adds a tag, or a path to one in a sequence, to dicom_tags; getdcmtags(1) says what names there
 * are. Returns 0, or -1 with *error. dicom_want_list(): names joined by commas. Headers read before
 * keep their values. */
int dicom_want(const char *name, struct dicom_want_error *error);
int dicom_want_list(const char *list, struct dicom_want_error *error);
/* Forgets those that were added. */
void dicom_want_none(void);

struct dicom_header {
	char **value; /* UTF-8, several values joined by '\', NULL when absent; in the order of
			 dicom_tags */
	size_t count;
	bool charset_problem; /* text was kept, but with replacement characters or by a guess */
	const char *note;     /* what the meta header says wrongly about the data set, or NULL */
};

/* Why a file could not be read: one line naming offset and reason, fit for reason.txt. */
struct dicom_error {
	int number; /* errno of a call that failed: try again later; 0: the file itself is bad */
	char text[256];
};

/* Reads from the beginning of fd (a regular file; from a pipe what is to come). Returns 0 or -1
 * with *error. In both cases dicom_header_free() frees; after an error the values read so far are
 * there. */
int dicom_read_header(int fd, struct dicom_header *header, struct dicom_error *error);
void dicom_header_free(struct dicom_header *header);

/* The value of a keyword of dicom_tags or of a name, "" when absent. */
const char *dicom_get(const struct dicom_header *header, const char *keyword);

/* What this is instead of an image ("is a DICOMDIR ..."), or NULL. */
const char *dicom_no_image(const struct dicom_header *header);

/* Walks the data set to its end. Returns 0 when it is whole, -1 with *error where it is not. */
int dicom_walk(int fd, struct dicom_error *error);

#endif
