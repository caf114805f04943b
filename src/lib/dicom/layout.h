/*
 * layout: the pattern that says where in a folder target an image goes, for example
 *
 *	{PatientID}/{StudyInstanceUID}/{SeriesInstanceUID}/{SOPInstanceUID}.dcm
 *
 * {Keyword} stands for the value of a tag of the standard, or for SenderAET, ReceiverAET,
 *SenderAddress. Values come from the network: whatever they are, the result is a list of names,
 *none of which is empty, ".", "..", hidden, longer than a file name may be, or has a '/' or a
 *control character in it. Two different values never become the same name: one that had to be
 *changed or cut gets a hash.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

/* The depth so that a path stays below PATH_MAX, the keywords so that all can be wanted
 * (dicom_want.h). */
enum { LAYOUT_MAX_DEPTH = 12, LAYOUT_MAX_KEYWORDS = 32 };

struct layout_path {
	char *name[LAYOUT_MAX_DEPTH];
	size_t count; /* the last one is the file's */
};

/* True for what may stand in {}: a keyword of the standard whose value is no sequence and no bytes,
 * or one of the association. Case does not matter. */
bool layout_keyword(const char *keyword);

/* Returns 0, or -1 with what is wrong, and what would be right, in why. */
int layout_check(const char *layout, char *why, size_t size);
/* The same for a layout that names directories only: images in them are told apart by other means.
 */
int layout_check_directories(const char *layout, char *why, size_t size);

/* The value for a keyword: UTF-8, "" when there is none, never NULL. */
typedef const char *layout_value_fn(const void *context, const char *keyword);

/* Makes the path for one image from a layout that layout_check() has passed. Returns -1 when memory
 * is short. layout_free() frees in any case. */
int layout_expand(
	const char *layout, layout_value_fn *value, const void *context, struct layout_path *path);
void layout_free(struct layout_path *path);

/* The name that the n-th file of this name gets: "a.dcm", "a~2.dcm", "a~3.dcm". In memory that the
 * caller frees, or NULL. */
char *layout_numbered(const char *name, unsigned n);

#endif
