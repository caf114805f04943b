/*
 * answer: the Store Instances Response (PS3.18 10.5.3, I.1) in DICOM JSON (F.2), or in XML from
 * older servers, and what it says of each image.
 *
 * An image is stored when Referenced SOP Sequence names it, and failed when Failed SOP Sequence
 * does; of both, failed. What is named nowhere stays without an answer, whatever the status of the
 * HTTP response says.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "base/str.h"
#include "batch.h"

#include <stdbool.h>

/* So long an answer is at most, for a batch of that many images. */
enum { ANSWER_BASE = 1 << 16, ANSWER_PER_IMAGE = 1 << 12 };

/* Answers the images of the batch that the response names. Returns false when it is no such
 * response. */
bool answer_read(struct sender *sender, const struct batch *batch, const struct buf *text);

#endif
