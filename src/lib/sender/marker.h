/*
 * marker: TARGET_MARKER, the name of an empty file that tells those who read a target's
 * directory that all images of a job that go there are there. It is written last, and again by a
 * later job that brings more into the same directory.
 *
 * What a directory still waits for: the images of the list, and those of the job that the target
 * never took and that are not even in the list any more (the dispatcher has given them up): a
 * directory with one of these gets no marker from this job. The dispatcher's ledger, sent.log,
 * tells them from those that an earlier attempt has brought.
 *
 * An image completes its directory only once it is answered. So the sender writes the marker first,
 * and answers the image after that: killed in between, the image is unsent, and both are done
 * again.
 */
#ifndef SENDER_MARKER_H
#define SENDER_MARKER_H

#include "dicom/layout.h"
#include "sender/sender.h"

#include <stddef.h>

struct sender_marker;

/* After sender_path_open(), whose layout says where images go. NULL: no marker is wanted, and the
 * functions below take that. Dies with 100 on a name that is none; that the job cannot be
 * read is an own fault. */
struct sender_marker *sender_marker_open(const struct sender *sender);

/* The marker's name; NULL: none is wanted. */
const char *sender_marker_name(const struct sender_marker *marker);

/* Says that this image of the list goes to that path. Once for each image, before any is due.
 * Returns -1, with why to answer, for an image that would be called like the marker: it fails. */
int sender_marker_expect(struct sender_marker *marker, size_t image, const struct layout_path *path,
	const char **why);

/* Says that the image is at the target. Returns the directory that is complete with it ("a/b", ""
 * for the target itself), whose marker is to be written before this image is answered; else NULL.
 */
const char *sender_marker_due(struct sender_marker *marker, size_t image);

void sender_marker_close(struct sender_marker *marker);

#endif
