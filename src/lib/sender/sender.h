/*
 * sender: what every send-TYPE program shares, the contract of dcmspool-sender(7): the names of the
 * images come on standard input, the settings in the environment, and one line for each answer goes
 * to standard output at once.
 *
 * An image gets at most one line. A line, once written, is believed: the dispatcher puts it into
 * the ledger. So nothing is written on a guess: an image without a line was not sent, and one that
 * was sent and not answered is in doubt. Whose failure that is, the dispatcher decides.
 */
#ifndef SENDER_H
#define SENDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* SENDER_NEVER: failed, and another try would change nothing. */
enum sender_answer { SENDER_UNSENT, SENDER_STORED, SENDER_FAILED, SENDER_NEVER, SENDER_DOUBT };

/* The status of an image: DICOM's, or SENDER_HTTP + that of HTTP, or that the target gave none. */
enum { SENDER_NO_STATUS = -1, SENDER_HTTP = 0x10000 };

/* Ends with this tell the dispatcher that neither the target nor an image is to blame. */
enum { SENDER_OWN_FAULT = 126 };

struct sender_image {
	char *name;
	enum sender_answer answer;
	int status;
	int setbacks; /* for the sender's own use: how often sending it ended in the target's
			 failure */
};

struct sender {
	struct sender_image *image;
	size_t count, answered, failed, doubted; /* answered: in whatever way, a doubt too */
	bool target_failed;
	bool ready;  /* next.h */
	size_t hint; /* where sender_find() looks first */
};

/* Opens the log and reads the list from standard input; dies with 100 on a bad name. */
void sender_open(struct sender *sender, const char *argv0);
/* Reads a list from elsewhere. *sender is as sender_close() leaves it. */
void sender_read(struct sender *sender, FILE *from);

/* The index of an image, or -1. */
long sender_find(struct sender *sender, const char *name);

/* Writes the line of one image; a second answer to the same image is ignored. The text becomes one
 * line. Dies with 111 when nobody reads standard output any more. */
void sender_answer(struct sender *sender, size_t index, enum sender_answer answer, int status,
	const char *text);

/* Writes the line of a target that cannot be used at all. */
void sender_target_failed(struct sender *sender, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The exit status that the contract prescribes for what was written. Frees the list. */
int sender_close(struct sender *sender);

/* The settings cannot work: says so to the dispatcher and to the log, and exits with
 * EXIT_PERMANENT. */
_Noreturn void sender_never(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Something of this machine's is missing: memory, descriptors, a program. Says so to the log, and
 * exits so that nothing of it is laid to the target or to an image. */
_Noreturn void sender_own_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void sender_no_memory(void);
/* The first length bytes of a text; the caller frees. Ends like this without memory. */
char *sender_copy(const char *text, size_t length);
/* A program that is needed cannot be run; errno tells why. */
_Noreturn void sender_no_program(const char *name);
/* Is it an errno of what is missing here, whatever was being done? A file that cannot be read (EIO)
 * is none: it would hold up everything else for ever. */
bool sender_is_own_fault(int error);

/* series.json of the job; NULL when it is missing or damaged. What may pass is our own fault, or
 * the job would go where that file does not say. The caller calls json_decref(). */
json_t *sender_series(void);

/* The setting TARGET_<name>; NULL or "" count as absent. sender_need() dies with 100 when absent.
 */
const char *sender_setting(const char *name, const char *otherwise);
const char *sender_need(const char *name);
/* A number min..max; dies with 100 when it is none. */
long sender_number(const char *name, long min, long max, long otherwise);
/* True for "yes" and "true", false for "no" and "false" and when absent; dies with 100 on any
 * other. */
bool sender_yes(const char *name);

/* True when the sender was started with -p: it is to find out whether the target can be used, and
 * to send nothing. The list is empty then. */
bool sender_probing(int argc, char *argv[]);
/* The same with -n: it is to look at its settings, and to connect to nobody. */
bool sender_checking(int argc, char *argv[]);

/* The first line of the secret file that the setting names, in memory that the caller frees. Dies
 * with 100 when the file is not a regular one of ours, or when anybody but its owner may read or
 * write it. NULL when the setting is absent. */
char *sender_secret(const char *name);
/* The same check for a file that another program reads: a private key. Returns its path, or NULL.
 */
const char *sender_secret_file(const char *name);

#endif
