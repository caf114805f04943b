/*
 * event: a line of the journal in words. dcmspool-journal(5) has the events and their keys.
 */
#ifndef CLI_EVENT_H
#define CLI_EVENT_H

#include <jansson.h>

#include "base/str.h"

/* Adds what happened, clean for a terminal: "routed to pacs by mr". An event that this table does
 * not know is told by its keys. */
void event_text(const json_t *line, struct buf *out);
/* What it is about: the name of a job or an association; "". Borrowed. */
const char *event_subject(const json_t *line);

#endif
