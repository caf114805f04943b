/*
 * batch: the images that go into one request.
 *
 * An answer names an image by its SOP class and SOP instance UID, so these are read from each file,
 * and two files with the same SOP instance UID never go into the same request: what an answer says
 * is always said of exactly one file.
 */
#ifndef BATCH_H
#define BATCH_H

#include "base/str.h"
#include "dicom/object.h"
#include "sender/sender.h"

#include <stddef.h>
#include <sys/types.h>

struct batch_item {
	size_t index;               /* in the sender's list */
	struct dicom_object object; /* what is sent of the file begins at object.begin */
	struct buf head;            /* what stands before that, when the file lacks it */
	off_t size;                 /* of both */
};

/* So many images at most: the answer, which is read as a whole, has some hundred bytes for each. */
enum { BATCH_MAX = 500 };

struct batch {
	struct batch_item item[BATCH_MAX];
	size_t count;
};

/* Takes the next images without an answer: those with the fewest setbacks, at most max of them and
 * size bytes, but at least one. Those that had a setback go alone: the first one from index
 * alone_from on, around the end. Images that cannot be read or named are answered here. Returns the
 * count, 0 when every image has its answer. batch_free() after each. */
size_t batch_choose(
	struct batch *batch, struct sender *sender, size_t max, off_t size, size_t alone_from);
void batch_free(struct batch *batch);

#endif
