/*
 * tool: one of DCMTK's programs at work for us, with its log as our source of truth.
 *
 * Each line of the log is LEVEL|SOURCE FILE|TEXT. Text that comes from images and from the target
 * appears in it, newlines included: therefore each line carries the name of the source file that
 * logged it.
 */
#ifndef TOOL_H
#define TOOL_H

#include "peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* The beginning of every log configuration (option -lc): what is not named logs from warnings on.
 * The layout puts its prefix before every line of a message. */
#define TOOL_LOG                                                                                   \
	"log4cplus.rootLogger = WARN, console\n"                                                   \
	"log4cplus.appender.console = log4cplus::ConsoleAppender\n"                                \
	"log4cplus.appender.console.ImmediateFlush = true\n"                                       \
	"log4cplus.appender.console.layout = log4cplus::PatternLayout\n"                           \
	"log4cplus.appender.console.layout.ConversionPattern = %P|%F|%m%n\n"

/* The arguments that every one of them knows; those of TLS come to nothing without it. At most
 * TOOL_ARGUMENTS, with what is added to them. */
enum { TOOL_ARGUMENTS = 64, TOOL_LINE_SIZE = 4096 };
struct tool_arguments {
	const char **argv;
	size_t count;
};

/* Room for so many arguments besides TOOL_ARGUMENTS; -1 with errno ENOMEM. The caller frees argv.
 */
int tool_arguments(struct tool_arguments *a, const char *program, size_t more);
void tool_add(struct tool_arguments *a, const char *argument);
void tool_add_list(struct tool_arguments *a, const char *const *list); /* ends with NULL */
/* Time-outs, AE titles. */
void tool_add_peer(struct tool_arguments *a, const struct peer *peer);
/* The longest PDU to be sent, with out for its text: with a low rate short ones, for DCMTK 3.6.7
 * gives up one that takes more than a minute (dcmSocketSendTimeout). Not for echoscu. */
enum { TOOL_NUMBER_SIZE = 24 };
void tool_add_send_pdu(
	struct tool_arguments *a, const struct peer *peer, char out[TOOL_NUMBER_SIZE]);
/* What TLS needs of storescu and echoscu, when the peer has it. */
void tool_add_tls(struct tool_arguments *a, const struct peer *peer);

struct tool {
	pid_t pid;
	FILE *lines;
	char line[TOOL_LINE_SIZE];
	bool cut; /* the rest of that line is still to come */
};

/* A descriptor without a name, so that nothing is left behind by a kill -9; -1 with errno. */
int tool_memory_file(const char *name, const char *content);
/* The path by which a child that inherits the descriptor opens it. */
void tool_path(int fd, char *out, size_t size);

/* Starts it: a NULL behind the last argument, the log configuration as standard input, keep
 * inherited
 * (-1: none), the rate and TCP_NODELAY as the peer has them. Returns 0, or -1 with errno. */
int tool_start(struct tool *tool, const struct tool_arguments *a, const struct peer *peer,
	const char *log_configuration, int keep);

/* The next line of the log without its newline, NULL at its end; longer lines are cut. The tools
 * have time-outs for everything they wait for, so this needs none. */
char *tool_line(struct tool *tool);

/* Takes a line apart, in place. False when it is none of the log. */
bool tool_split(char *line, char *level, const char **source, char **text);

/* Waits for the end, or with at_once kills. The status as run_wait() has it. */
int tool_end(struct tool *tool, bool at_once);

/* "0006:0317 Peer aborted Association" without the number that DCMTK's conditions begin with. */
const char *tool_words(const char *text);

#endif
