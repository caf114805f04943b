/*
 * association: one association of ours, from the call to the release (PS3.8 7, 9.2).
 *
 * One operation at a time. A call that returns -1 has ended the association: trouble is the kind of
 * it, why says it in words. Whatever is answered by the peer, no more than its announced maximum is
 * sent to it in a PDU and no more than ours is taken from it.
 */
#ifndef ASSOCIATION_H
#define ASSOCIATION_H

#include "dicom/network/associate.h"
#include "dicom/network/connection.h"
#include "dicom/network/dimse.h"

#include <sys/types.h>

enum association_trouble {
	ASSOCIATION_FINE,
	ASSOCIATION_UNREACHABLE, /* no connection, or no TLS on it */
	ASSOCIATION_REJECTED,    /* for good */
	ASSOCIATION_BUSY,        /* rejected for now */
	ASSOCIATION_ABORTED,
	ASSOCIATION_CLOSED,  /* or the peer asks for the release in the midst of it */
	ASSOCIATION_SILENT,  /* no answer in time */
	ASSOCIATION_GARBAGE, /* what came is not what the protocol has there */
	ASSOCIATION_OURS,    /* the file could not be read: no fault of the peer's */
};

/* Puts TLS on the connection. Returns 0, or -1 when it has ended. */
typedef int association_secure(struct connection *c, void *context);

struct association_call {
	struct connection_call connection;
	const char *called, *calling;
	const struct associate_proposal *proposal;
	size_t count;
	uint32_t longest;           /* PDU that we take, and that we send if the peer takes it */
	association_secure *secure; /* NULL: plain */
	void *context;
};

struct association {
	struct connection connection;
	const struct associate_proposal *proposal;
	size_t count;
	struct associate_answer answer;
	uint32_t longest;
	size_t chunk;     /* bytes of a data set in one PDU */
	uint16_t message; /* the last message ID */
	bool begun;       /* there is an association to be released */
	bool early; /* a response was there before the request was wholly given to the kernel */
	unsigned char *out;
	enum association_trouble trouble;
	char why[CONNECTION_WHY + 64];
};

/* Calls and negotiates. Returns 0 or -1; association_close() in both cases. The proposals must live
 * as long as the association. */
int association_open(struct association *a, const struct association_call *call);

/* Looks whether the peer has ended it, before something is begun. Returns 0 or -1. */
int association_check(struct association *a);

/* The data set of a file: from so many bytes on so many, and a NUL when the standard wants the
 * length even (PS3.5 A.5). */
struct association_data {
	int fd;
	off_t from, length;
	bool pad;
};

/* Sends a C-STORE over the index-th context and reads the response to it. One that was there before
 * the data set had been sent counts as a refusal only: nobody can have stored what was not there.
 * Returns 0 or -1. */
int association_store(struct association *a, size_t index, const char *instance,
	const struct association_data *data, struct dimse_response *response);

/* The same for a C-ECHO. */
int association_echo(struct association *a, size_t index, struct dimse_response *response);

/* Releases what has no trouble, aborts what has (unless the peer ended it), and frees. */
void association_close(struct association *a);

#endif
