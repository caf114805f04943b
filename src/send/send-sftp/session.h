/*
 * session: one sftp(1), driven over its standard input in batch use.
 *
 * In batch use sftp ends with status 1 at the first command that failed, unless '-' stands before
 * it, and it repeats each line that it reads on standard output (OpenSSH 9.2, sftp.c,
 * parse_dispatch_command()). A comment is such a line as well. So after some commands comes a
 * comment with a number, and when sftp repeats that, the server has confirmed all commands before
 * it. What it writes on standard error is kept apart and never taken for a confirmation.
 */
#ifndef SESSION_H
#define SESSION_H

#include "base/str.h"
#include "sender/ssh.h"

#include <stdbool.h>
#include <sys/types.h>

struct session_target {
	const char *host, *username;
	const struct sender_ssh *ssh;
	long silence_s;  /* so long it may make no progress */
	long rate_limit; /* bytes per second, 0: none */
	int keep;        /* a descriptor that sftp inherits */
};

enum session_result {
	SESSION_OK,
	SESSION_REFUSED, /* a command failed; the connection was well */
	SESSION_LOST,    /* no connection, or none any more */
};

struct session {
	const struct session_target *target;
	pid_t pid; /* 0: not running */
	int in, out, error;
	struct buf commands, line, errors;
	unsigned number; /* of the last comment */
	bool silent;     /* it was ended because it made no progress */
};

/* Starts sftp; the connection is made meanwhile, and the first session_run() tells. Returns -1 with
 * errno. */
int session_start(struct session *session, const struct session_target *target);

/* Adds a command with up to two names, which are quoted for sftp. */
void session_command(
	struct session *session, const char *command, const char *first, const char *second);

/* Has the added commands done. When that fails, the session has ended. What sftp wrote to standard
 * error meanwhile is in errors, as text. */
enum session_result session_run(struct session *session);

/* Ends it, if it has not ended. errors stay until the next session_start(). */
void session_end(struct session *session);
void session_free(struct session *session);

#endif
