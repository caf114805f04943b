/*
 * curl: one run of curl(1) over some requests, one after the other over as few connections as
 * possible.
 *
 * curl writes the body of each answer to its standard output and then a line of ours (--write-out),
 * with the number of the request, the HTTP status and what befell it. That line begins with a
 * random word that only this run knows, so no server can forge it. Everything curl is told, the
 * secret included, it reads from a file without a name: nothing but "curl -q -K -" is seen by
 * others.
 */
#ifndef CURL_H
#define CURL_H

#include "bucket.h"
#include "reply.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request {
	char *url;
	const char *file; /* to be uploaded; NULL: GET */
	int64_t size;     /* of the file */
	char sha256[65];  /* of the file, hexadecimal; the server compares it with what it got */
};

/* Of no bytes at all. */
#define CURL_SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Takes the reply to the nth request. Returns false when there is no use in going on: curl is
 * ended then. */
typedef bool curl_reply_fn(void *context, size_t nth, const struct reply *reply);

/* keep: a descriptor that files of the requests name by /proc/self/fd, or -1. Returns curl's exit
 * status as run_wait() has it (each request has its own, in its reply), -1 with errno when it
 * could not be run. */
int curl_run(const struct bucket *bucket, const struct request *request, size_t count, int keep,
	curl_reply_fn *take, void *context);

#endif
