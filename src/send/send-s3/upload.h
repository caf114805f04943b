/*
 * upload: images and markers into the bucket, round by round; see the top of send-s3.c.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include "sender/marker.h"
#include "sender/sender.h"
#include "bucket.h"

#include <stdbool.h>

enum { UPLOAD_TEXT = 512 };

struct job {
	struct sender sender;
	struct bucket bucket;
	struct sender_marker *marker;
	char **url;            /* of each image of the list; NULL: it has failed already */
	bool barren;           /* the last request came to nothing */
	char why[UPLOAD_TEXT]; /* and this is why */
	bool probed;           /* -p: curl has told what became of the request */
};

/* Ends when all images have their answer or the target is given up, which it then has written. */
void upload_all(struct job *job);

#endif
