/*
 * log: one line per event on standard error, and the exit codes of every program.
 *
 * A line is "PROGRAM: LEVEL: message key=value ...", in systemd's journal with the priority before
 * it,
 * "<4>". No time stamps (`dcmspool up` and the journal add them), no patient data. Bytes outside
 * printable ASCII are written as \xNN, so a line is always one line, whatever a sender put into it.
 */
#ifndef LOG_H
#define LOG_H

/* Exit codes, as skalibs' strerr.h has them: try again later, never, our own mistake. */
enum { EXIT_PERMANENT = 100, EXIT_BUG = 101, EXIT_TEMPORARY = 111 };

/* The exit code for something that failed with this errno: what only a person can mend (a path that
 * is not there, or leads elsewhere) is permanent, anything else may pass. */
int failure_code(int error);

/* Sets the program's name: argv[0] without its directories. Must come first in main(): it also sees
 * to it that descriptors 0, 1 and 2 are taken, so that no file of ours ever has one of these
 * numbers and is written to by mistake. One that was closed is /dev/null, of which a read (0) or a
 * write (1) fails as before. */
void log_open(const char *argv0);
const char *log_program(void);

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes "PROGRAM: fatal: ..." and exits with code. Text: "unable to VERB OBJECT: reason". */
_Noreturn void die(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes what standard output still keeps; dies when that, or anything before, could not be
 * written.
 */
void output_flush(void);

#endif
