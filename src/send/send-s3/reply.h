/*
 * reply: what the server said to one request, and what that means.
 */
#ifndef REPLY_H
#define REPLY_H

#include <stdbool.h>
#include <stddef.h>

enum { REPLY_BODY = 4096 };

struct reply {
	int exit;              /* curl's status for this transfer; 0: there is an answer */
	int status;            /* HTTP's */
	bool whole;            /* all of the file was sent */
	bool etag;             /* the answer had one, as S3's to a PUT has */
	char message[256];     /* curl's, when exit is not 0 */
	char body[REPLY_BODY]; /* its beginning, NUL-terminated */
	size_t length;
};

enum reply_meaning {
	REPLY_STORED,
	REPLY_IMAGE,  /* refused: this object's fault */
	REPLY_FULL,   /* out of resources: the target, or this object is more than it can do */
	REPLY_BROKEN, /* it broke at this object: perhaps the object's fault, perhaps the target's
		       */
	REPLY_TARGET, /* no object would fare better */
};

/* What the answer to an upload means; its words go to text. */
enum reply_meaning reply_judge(const struct reply *reply, char *text, size_t size);

/* Does the answer to listing the bucket leave hope for an upload? Its words go to text when not.
 * With a job to be tried, whatever an S3 server says that knows our key leaves some. */
bool reply_usable(const struct reply *reply, bool job, char *text, size_t size);

#endif
