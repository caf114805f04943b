/*
 * request: one HTTP request, made by curl(1).
 *
 * Everything that curl is told stands in a configuration file that is memory only, so that neither
 * secrets nor anything else are among its arguments. The body goes through a pipe:
 * "Transfer-Encoding:" switched off and a Content-Length of our own make curl (7.88) stream what
 * comes on its standard input as it is, without reading it to its end first.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "base/str.h"
#include "body.h"

#include <stdbool.h>
#include <stddef.h>

struct request_target {
	const char *url;                /* without the slash at its end */
	char *store;                    /* where images go: that of url, or where it has moved to */
	const char *username, *ca_file; /* NULL: none */
	char *password;                 /* the same */
	bool bearer;                    /* there is a token, which may be replaced at any time */
	long timeout_s, rate_limit;     /* bytes per second, 0: none */
};

struct request_result {
	enum body_state body; /* BODY_DONE: curl has taken all of it; BODY_UNREADABLE: a file was to
				 blame */
	int code;             /* curl's exit status; 0: the answer has come to its end */
	int http;             /* status of the answer, 0: there was none */
	long long uploaded;   /* bytes of the body that went out */
	char type[128];       /* of the answer's content */
	char location[2048];  /* where a redirection leads */
	char retry_after[64]; /* what the server says of when to come back, "" */
	char message[256];    /* curl's words, or ours when we ended it; "" */
	struct buf answer;    /* its content; request_free() */
};

/* The token of now, in memory that the caller frees; NULL without one. Dies with 100 when it cannot
 * be one. */
char *request_token(void);

/* Sends the body to target->store. An answer longer than max bytes, or one that takes longer than
 * the time-out from its first byte to its last, ends the request. Returns -1 with errno when there
 * was none at all. */
int request_post(const struct request_target *target, struct body *body, size_t max,
	struct request_result *result);

/* Asks for a study that does not exist, which any archive can answer without a search. */
int request_probe(const struct request_target *target, struct request_result *result);

void request_free(struct request_result *result);

#endif
