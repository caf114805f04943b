/*
 * rsync: one run of rsync(1). It is given its list on standard input and leaves what it says in
 * memory.
 *
 * What its lines are worth: while it sends, rsync prints a name before the other side has checked
 * and renamed the file, so these lines are not asked for. What counts is a second run over the same
 * names, dry, by checksums: the names that it itemises as unchanged are there, with the same bytes.
 */
#ifndef RSYNC_H
#define RSYNC_H

#include "base/str.h"
#include "destination.h"

enum rsync_act {
	RSYNC_SEND,   /* the files of the list into the directory */
	RSYNC_VERIFY, /* the same, changing nothing and itemising all */
	RSYNC_MARK,   /* an empty file to that path */
	RSYNC_LIST,   /* what is that? */
};

/* rsync(1), EXIT VALUES: the ones after which some files may be there and others not. */
enum { RSYNC_OK = 0, RSYNC_FILE_IO = 11, RSYNC_PARTIAL = 23, RSYNC_VANISHED = 24 };
/* And those of a connection that was not made, broke, or was silent; the last is ssh's. */
enum {
	RSYNC_SOCKET = 10,
	RSYNC_STREAM = 12,
	RSYNC_SIGNAL = 20,
	RSYNC_TIME_OUT = 30,
	RSYNC_SSH = 255
};

struct rsync {
	const struct destination *destination;
	const char *suffix; /* what is put behind the name of a file that another one replaces */
	bool old;           /* the other side knows no --fsync */
	struct buf out, errors;
};

/* list: names, each with its NUL. Returns rsync's exit status as run_wait() has it, -1 with errno
 * when it could not be run. */
int rsync_run(struct rsync *rsync, enum rsync_act act, const char *path, const struct buf *list);

void rsync_close(struct rsync *rsync);

#endif
