/*
 * image: the images of the job as this program sees them: what each is, by its file.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include "dicom/object.h"
#include "sender/sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
	uint16_t sop_class, syntax; /* in names */
	bool known;                 /* the above has been read */
	bool chosen;                /* for the next association */
};

struct images {
	struct sender *sender;
	struct image *image; /* as many as the sender has, in its order */
	char **name;         /* stay where they are, for the associations that were made for them */
	size_t names;
	bool padding_told; /* of this job's images */
};

/* Takes the images of the sender's list in place of those before. Dies without memory. */
void images_begin(struct images *images, struct sender *sender);
void images_close(struct images *images);

/* Reads what the image is, unless that is known. An image that cannot be sent is answered: false.
 */
bool image_look(struct images *images, size_t index);

/* An image's file, opened at what is sent of it. */
struct image_file {
	int fd;
	off_t length; /* of the data set, which begins at object.begin */
	struct dicom_object object;
};
/* The same as image_look() of the file; with true the caller closes it. Takes fd, which may be a
 * converted copy, or opens the image itself when it is -1. */
bool image_open(struct images *images, size_t index, int fd, struct image_file *file);

#endif
