/*
 * upload: one image, or a marker, to its place in the target's folder.
 *
 *  1. Go to the directory, making what is missing of it.
 *  2. put -f to .JOB.part there: a name of this job's only, written anew if a killed run has left
 * it.
 *  3. rename -l to the name, which fails where that is taken: nothing is overwritten. (rename
 * without -l would replace what is there.) What is there is fetched then, and compared: the same
 * bytes are this image, else the next number is tried.
 *
 * A command that the server refused with a healthy connection tells little: SFTP says "Failure" for
 * a full disk and for many other things. So the same image is put into the folder itself, and
 * renamed there: there are servers that cannot. If that works, it is the image's or its directory's
 * fault, else the target's.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include "session.h"

struct layout_path;

struct upload_item {
	const char *image; /* a file in the working directory */
	const struct layout_path *path;
	const char *directory; /* that of path, as one string, "" for the folder itself */
};

struct upload {
	struct session_target target;
	struct session session;
	const char *folder;
	char part[256];    /* the temporary name */
	char moved[256];   /* another one, for the trial in the folder itself */
	int scratch;       /* an empty file without a name, for what is fetched and for markers */
	const char *where; /* the directory that the session is in, NULL: none */
	bool careful;      /* a name was taken: look before sending the next one */
	char text[512];    /* what came of it, in words */
};

enum upload_result {
	UPLOAD_STORED,
	UPLOAD_IMAGE,     /* this image cannot be stored */
	UPLOAD_DIRECTORY, /* nothing can be stored in its directory */
	UPLOAD_BROKEN,    /* the connection broke when the image was on its way */
	UPLOAD_TARGET,    /* the target cannot be used */
};

/* Connects and goes to the folder: UPLOAD_STORED or UPLOAD_TARGET. */
enum upload_result upload_open(struct upload *upload);

enum upload_result upload_image(struct upload *upload, const struct upload_item *item);

/* Writes the empty file name into the directory of an image that was stored just now. */
enum upload_result upload_marker(
	struct upload *upload, const struct upload_item *item, const char *name);

void upload_close(struct upload *upload);

#endif
