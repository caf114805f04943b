/*
 * said: the lines that a sender writes, dcmspool-sender(7): each answer goes to the ledger as it
 * comes.
 */
#ifndef SAID_H
#define SAID_H

#include <stdbool.h>
#include <stddef.h>

#include "attempt.h"
#include "base/str.h"

struct outcome;

/* Begins with attempt and outcome alone; said_end() ends it. */
struct said {
	struct attempt *attempt;
	struct outcome *outcome;
	struct buf line;  /* what has been read of the current line */
	int broken;       /* errno of what keeps us from going on (the ledger), or 0 */
	bool cancelled;   /* by `dcmspool cancel`: stop */
	bool babbles;     /* wrote a line without end: stop */
	bool may_wait;    /* the sender knows how to get another job */
	bool ready;       /* and has said that it waits for one: stop */
	size_t bad_lines; /* that are none of dcmspool-sender(7) */
};

/* Takes what the sender wrote to fd. Returns false at its end, or when it is to be ended. */
bool said_take(struct said *said, int fd);
bool said_goes_on(const struct said *said);
/* Has it told of each image, and nothing else? */
bool said_is_through(const struct said *said);
/* Tells the mistakes of the sender. */
void said_end(struct said *said);

#endif
