/*
 * verdict: what the outcome of a request means for the images in it and for the target.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "request.h"

#include <stddef.h>

enum verdict {
	VERDICT_ANSWERED,  /* the content says of each image what became of it */
	VERDICT_REFUSED,   /* the request as it is, and for good: an image in it is to blame */
	VERDICT_TOO_LARGE, /* the same, and a smaller one would do */
	VERDICT_NO_ROOM,   /* out of resources: the target, or this image is more than it can do */
	VERDICT_BROKEN,    /* the target failed while it had images: one of them may be to blame */
	VERDICT_DOWN       /* the target cannot be used, whatever is sent to it */
};

/* why: in words, "" for VERDICT_ANSWERED. */
enum verdict verdict_post(const struct request_target *target, const struct request_result *result,
	char *why, size_t size);

/* Can the target be used? A search may be forbidden, unknown or without result: somebody answered.
 */
enum verdict verdict_probe(const struct request_target *target, const struct request_result *result,
	char *why, size_t size);

#endif
