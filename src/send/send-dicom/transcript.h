/*
 * transcript: understands what dcmsend and storescu say while they send, and answers each image at
 * once.
 *
 * dcmsend writes its report only at its end, and with --no-halt it goes on after a time-out in the
 * same association: the late answer to one image is then taken for the answer to the next one
 * (DCMTK 3.6.7, scu.cc, sendSTORERequest() compares no message IDs). Its log, however, has for each
 * image the file's name, then the request and the response with their message IDs. So:
 *  - an image is answered by a response that has its request's message ID, and by nothing else;
 *  - when that fails (abort, time-out, wrong ID), stop is set: the caller ends dcmsend.
 *
 * Text that comes from images and from the target appears in the log, newlines included: a line
 * counts only when it comes from the right source file of DCMTK (tool.h).
 *
 * storescu's log has the same for each image. Its network library compares message IDs, yet we do,
 * too.
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include "sender/sender.h"
#include "tool.h"

#include <stdbool.h>

enum transcript_state {
	TRANSCRIPT_IDLE,     /* between images */
	TRANSCRIPT_READING,  /* it is known which image is next */
	TRANSCRIPT_REQUEST,  /* inside the dump of the request */
	TRANSCRIPT_SENT,     /* the request is on its way */
	TRANSCRIPT_RESPONSE, /* inside the dump of the response */
};

struct transcript {
	struct sender *sender;
	enum transcript_state state;
	long current;     /* the image being checked or sent, -1: none */
	bool sending;     /* an association exists and current is being sent over it */
	size_t responses; /* so many images the target answered in this run */
	long request_id, response_id;
	int status;             /* of the response, SENDER_NO_STATUS: not seen */
	char refusal[160];      /* why DCMTK itself will not send current; "" */
	char detail[160];       /* what is known about a rejected association; "" */
	char reason[400];       /* why the target could not be used; "" */
	bool stop;              /* the program must be ended */
	bool failing;           /* storescu's next line says why it failed to store current */
	bool no_context;        /* the target accepted nothing that storescu proposed */
	const char *decompress; /* the setting, for what is said of images that were not accepted */
};

void transcript_open(struct transcript *transcript, struct sender *sender, const char *decompress);

/* Takes the log until its end, or until there is no use in going on: stop. */
void transcript_follow(struct transcript *transcript, struct tool *tool);

/* dcmsend or storescu has come to its regular end. */
void transcript_end(struct transcript *transcript);

/* The image fails: the target takes it in no transfer syntax that was offered. */
void transcript_not_accepted(struct transcript *transcript, size_t index);

#endif
