/*
 * filed: incoming/<series>/filed, one line for each image that getdcmtags has put into the batch:
 *
 *	<boot> <size> <name> <association>
 *
 * boot: the first 8 digits of /proc/sys/kernel/random/boot_id; association: which brought it (a
 * dcmspool of before did not say). The line is written before the image
 * is renamed into the batch; one with the size -1 takes an association's line back: another had
 * brought an image of that name at the same moment. Whoever claims the batch believes an image
 *whose last line has its size and the boot of now. Of any other it has to be found out whether it
 *is whole: the power was cut meanwhile, or somebody copied it there by hand. The file goes with the
 *claim.
 */
#ifndef SPOOL_FILED_H
#define SPOOL_FILED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Says that this image is about to come into the batch, by one write(2). The file stays open for
 * the next image of the batch, so that not each closes it: that would wake the routers. -1 with
 * errno: nobody may believe the image. */
int filed_add(int batch, const char *name, off_t size, const char *association);

/* The name was taken meanwhile. -1 with errno: the image counts as this association's, perhaps. */
int filed_take_back(int batch, const char *name, const char *association);

/* What the lines of a batch say. */
struct filed_line {
	const char *name;        /* these in text */
	const char *association; /* "": not said */
	size_t at;               /* of several lines of a name the last one counts */
	long long size;
	bool now; /* written since the machine was started */
};
struct filed {
	char *text;
	struct filed_line *line; /* by name, a name once */
	size_t count;
};

/* A batch without the file has no lines. -1 with errno: it cannot be known now. */
int filed_load(int batch, struct filed *filed);
void filed_free(struct filed *filed);

/* The same line by line, as they come: for whoever follows a batch. fd -1: not open. */
struct filed_tail {
	int fd;
	off_t at; /* so far it has been read */
	char boot[9];
};
/* A batch that has no such file yet is no error: the tail is open when there is one. */
int filed_tail_open(struct filed_tail *tail, int batch);
/* Calls take for each whole line since the last call that was written since the machine was
 * started; size -1: a line of the name was taken back. -1 with errno. */
typedef int filed_take(void *context, const char *name, off_t size);
int filed_tail_read(struct filed_tail *tail, filed_take *take, void *context);
void filed_tail_close(struct filed_tail *tail);

enum filed_word {
	FILED_NOT,     /* no line: brought by hand, it may even be written still */
	FILED_DOUBTED, /* received, but in another boot, or with another size */
	FILED_BELIEVED /* as it was received: whole */
};
/* The line of an image, or NULL. */
const struct filed_line *filed_find(const struct filed *filed, const char *name);
enum filed_word filed_word(const struct filed *filed, const char *name, off_t size);

#endif
