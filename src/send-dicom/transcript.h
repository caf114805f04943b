/*
 * transcript: understands what dcmsend says while it sends, and answers each image at once.
 *
 * dcmsend writes its report only at its end, and with --no-halt it goes on after a time-out in the
 * same association: the late answer to one image is then taken for the answer to the next one
 * (DCMTK 3.6.7, scu.cc, sendSTORERequest() compares no message IDs). Its log, however, has for each
 * image the file's name, then the request and the response with their message IDs. So:
 *  - an image is answered by a response that has its request's message ID, and by nothing else;
 *  - when that fails (abort, time-out, wrong ID), stop is set: the caller ends dcmsend.
 *
 * Text that comes from images and from the target appears in the log, newlines included. Each line
 * therefore carries the name of the source file that logged it, and counts only from there.
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include "sender.h"

#include <stdbool.h>

/* dcmsend's log configuration (option -lc). The layout puts its prefix before every line of a
 * message: LEVEL|SOURCE FILE|TEXT. */
#define TRANSCRIPT_CONFIG                                                                          \
	"log4cplus.rootLogger = WARN, console\n"                                                   \
	"log4cplus.logger.dcmtk.dcmnet = DEBUG\n"                                                  \
	"log4cplus.appender.console = log4cplus::ConsoleAppender\n"                                \
	"log4cplus.appender.console.ImmediateFlush = true\n"                                       \
	"log4cplus.appender.console.layout = log4cplus::PatternLayout\n"                           \
	"log4cplus.appender.console.layout.ConversionPattern = %P|%F|%m%n\n"

enum transcript_state {
	TRANSCRIPT_IDLE,     /* between images */
	TRANSCRIPT_READING,  /* dcmsend has said which image is next */
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
	int status;        /* of the response, SENDER_NO_STATUS: not seen */
	char refusal[160]; /* why dcmsend itself will not send current; "" */
	char detail[160];  /* what is known about a rejected association; "" */
	char reason[400];  /* why the target could not be used; "" */
	bool stop;         /* this dcmsend must be ended */
};

void transcript_open(struct transcript *transcript, struct sender *sender);

/* Takes one line, without its newline; changes it. */
void transcript_line(struct transcript *transcript, char *line);

/* dcmsend has come to its regular end. */
void transcript_end(struct transcript *transcript);

#endif
