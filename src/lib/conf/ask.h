/*
 * ask: the questions that a sender answers when no job is sent, dcmspool-sender(7): can the target
 * be used (-p), can its settings work (-n)?
 */
#ifndef ASK_H
#define ASK_H

#include "conf/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Starts the target's sender with this argument. *out is the descriptor of a file without a name
 * that gets what it writes, with quiet its log, too. -1 with errno when it cannot be started; *out
 * must be closed, or given to ask_reason(), in both cases when it is not -1. */
pid_t ask_start(const struct conf_target *target, const char *question, bool quiet, int *out);

/* The reason in the sender's line "target TAB - TAB - TAB REASON", or "". Closes out. -1 with errno
 * when that cannot be read. */
int ask_reason(int out, char *reason, size_t size);

#endif
