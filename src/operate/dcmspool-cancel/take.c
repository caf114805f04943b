#include "take.h"

#include "base/log.h"
#include "spool/ended.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/retry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* A dispatcher stops after the image that it is at: what is usual takes less. */
enum { PATIENCE_MS = 5000, PATH_SIZE = 600 };

/* One job and what is known of it. */
struct taking {
	const struct spool *spool;
	const struct queued *job;
	const char *by;
	char name[2 * QUEUES_NAME_SIZE]; /* <job>.<target>, in discard/, success/ and error/ */
	char path[PATH_SIZE];
	struct patience patience;
	bool asked; /* the journal has it */
};

/* The job's directory is the one that is open as dir, and lies there? */
static bool lies_at(struct taking *t, int dir, enum spool_dir where, const char *below)
{
	struct stat here, there;

	(void)snprintf(t->path, sizeof(t->path), "%s/%s", spool_name(where), below);
	return fstat(dir, &here) == 0 &&
	       fstatat(t->spool->dir[SPOOL_ROOT], t->path, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       disk_same_file(&here, &there);
}

/* The same for <job>.<target>, <job>.<target>~2 and so on. */
static bool lies_in(struct taking *t, int dir, enum spool_dir where)
{
	char name[sizeof(t->name) + 16];

	for (int i = 1;; i++) {
		(void)snprintf(name, sizeof(name), i == 1 ? "%s" : "%s~%d", t->name, i);
		if (lies_at(t, dir, where, name))
			return true;
		if (disk_exists(t->spool->dir[where], name) != 1)
			return false;
	}
}

/* Where the directory that is open as dir lies now; then t->path. */
static enum spool_dir locate(struct taking *t, int dir)
{
	static const enum spool_dir ends[] = { SPOOL_DISCARD, SPOOL_SUCCESS, SPOOL_ERROR };
	char below[2 * QUEUES_NAME_SIZE];

	(void)snprintf(below, sizeof(below), "%s/%s", t->job->target, t->job->name);
	if (lies_at(t, dir, SPOOL_SENDING, below))
		return SPOOL_SENDING;
	if (lies_at(t, dir, SPOOL_OUTGOING, below))
		return SPOOL_OUTGOING;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (lies_in(t, dir, ends[i]))
			return ends[i];
	return SPOOL_ROOT;
}

static int put_mark(int dir)
{
	return job_cancel(dir) < 0 ? -1 : fsync(dir);
}

/* A job that failed in the middle of J5 -> J7 may be back in its queue with images that lie in
 * error/ too, or with .failed. Only a dispatcher knows how to go on with it. 1, 0, or -1. */
static int is_split(const struct taking *t, int dir)
{
	int begun = file_exists(dir, FILE_FAILED);
	int done = disk_exists(t->spool->dir[SPOOL_ERROR], t->name);

	return begun < 0 || done < 0 ? -1 : begun | done;
}

/* It lies in discard/: what is left to do is not worth a failure. */
static void tidy(const struct taking *t, int dir, int queue)
{
	struct ended ended = {
		.outcome = "cancelled", .job = t->job->name, .target = t->job->target
	};

	job_count(dir, ended.images);
	(void)ended_say(t->spool, &ended, dir, t->by); /* else it is told again */
	/* As a dispatcher leaves it. If we are killed before, both mean nothing there. */
	if (retry_remove(dir) < 0 || file_remove(dir, FILE_CANCELLED) < 0 ||
		fsync(t->spool->dir[SPOOL_DISCARD]) < 0 || fsync(queue) < 0)
		log_warning("unable to tidy up or to sync %s: %s; "
			    "after a power failure it may wait again",
			t->path, strerror(errno));
}

/* The job waits and is locked as dir. */
static enum taken discard(struct taking *t, int queue, int dir)
{
	int split = is_split(t, dir);
	char made[sizeof(t->name)];

	if (split < 0)
		return TAKEN_FAILED;
	if (split)
		return put_mark(dir) < 0 ? TAKEN_FAILED : TAKEN_PARTLY;
	if (fsync(dir) < 0 || disk_rename_unique(queue, t->job->name, t->spool->dir[SPOOL_DISCARD],
				      t->name, made, sizeof(made)) < 0)
		return TAKEN_FAILED;
	(void)flock(queue, LOCK_UN); /* the dispatchers may go on; cannot fail on what is locked */
	(void)snprintf(t->path, sizeof(t->path), "%s/%s", spool_name(SPOOL_DISCARD), made);
	tidy(t, dir, queue);
	return TAKEN_DISCARDED;
}

/* Follows a job that was asked for, until it has left sending/. Returns where it is then. */
static enum spool_dir follow(struct taking *t, int dir, bool *orphan)
{
	enum spool_dir where;

	*orphan = false;
	while ((where = locate(t, dir)) == SPOOL_SENDING) {
		/* Its dispatcher keeps it locked. One try only: while we have it, others think we
		 * are one. */
		if (!*orphan && flock(dir, LOCK_EX | LOCK_NB) == 0) {
			(void)flock(dir, LOCK_UN); /* cannot fail on what is locked */
			*orphan = locate(t, dir) == SPOOL_SENDING;
			(void)queues_wake(t->spool, t->job->target); /* else it goes later */
		}
		if (!queues_wait(&t->patience))
			break;
	}
	return where;
}

static void tell_asked(struct taking *t)
{
	if (!t->asked)
		journal_write(t->spool, "cancel-asked", "job", t->job->name, "target",
			t->job->target, "by", t->by, NULL);
	t->asked = true;
}

/* The job is being sent, or was a moment ago. AGAIN: it is back in its queue, or nowhere. */
enum { AGAIN = -1 };
static int stop(struct taking *t, int dir)
{
	bool orphan;

	if (put_mark(dir) < 0)
		return errno == ENOENT ? AGAIN : TAKEN_FAILED; /* the cleaner has it */
	tell_asked(t);
	switch (follow(t, dir, &orphan)) {
	case SPOOL_SENDING:
		return orphan ? TAKEN_ORPHAN : TAKEN_ASKED;
	case SPOOL_DISCARD:
		return TAKEN_DISCARDED;
	case SPOOL_SUCCESS:
		return file_remove(dir, FILE_CANCELLED) < 0 ? TAKEN_FAILED : TAKEN_SENT;
	case SPOOL_ERROR:
		return file_remove(dir, FILE_CANCELLED) < 0 ? TAKEN_FAILED : TAKEN_GIVEN_UP;
	default:
		return AGAIN;
	}
}

/* The queue is locked. */
static int try_queue(struct taking *t, int queue)
{
	int dir = disk_lock_dir(queue, t->job->name, LOCK_EX | LOCK_NB), result;

	if (dir >= 0) {
		result = discard(t, queue, dir);
		(void)close(dir); /* releases the lock */
		return result;
	}
	if (errno == ENOENT)
		return TAKEN_GONE;
	/* The router or the dispatcher that has brought it here is about to let it go. */
	if (errno == EWOULDBLOCK)
		return AGAIN;
	return TAKEN_FAILED;
}

/* What is sent ahead of a batch: whoever takes the entry over has the mark then. AGAIN: it moves
 * just now. */
static int mark_ahead(struct taking *t)
{
	static const enum spool_dir queues[] = { SPOOL_OUTGOING, SPOOL_SENDING, SPOOL_OUTGOING };
	char path[2 * QUEUES_NAME_SIZE];
	int dir = -1, result;

	(void)snprintf(path, sizeof(path), "%s/%s", t->job->target, t->job->name);
	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]) && dir < 0; i++)
		dir = disk_open_dir(t->spool->dir[queues[i]], path);
	if (dir < 0)
		return errno == ENOENT ? TAKEN_GONE : TAKEN_FAILED;
	result = put_mark(dir) == 0 ? TAKEN_AHEAD : errno == ENOENT ? AGAIN : TAKEN_FAILED;
	(void)close(dir); /* only used as a base */
	if (result == TAKEN_AHEAD)
		tell_asked(t);
	return result;
}

static int try_once(struct taking *t)
{
	int queue = queues_lock(t->spool->dir[SPOOL_OUTGOING], t->job->target, &t->patience);
	char path[2 * QUEUES_NAME_SIZE];
	int dir, result;

	if (job_ahead(t->job->name)) {
		if (queue >= 0)
			(void)close(queue); /* releases the lock */
		return mark_ahead(t);
	}
	if (queue < 0 && errno == EWOULDBLOCK)
		return TAKEN_BUSY;
	if (queue < 0 && errno != ENOENT)
		return TAKEN_FAILED;
	(void)snprintf(path, sizeof(path), "%s/%s", t->job->target, t->job->name);
	dir = disk_open_dir(t->spool->dir[SPOOL_SENDING], path);
	if (dir >= 0) {
		if (queue >= 0)
			(void)close(queue); /* releases the lock: stop() may take long */
		result = stop(t, dir);
		(void)close(dir); /* only used as a base */
		return result;
	}
	result = errno != ENOENT ? TAKEN_FAILED : queue < 0 ? TAKEN_GONE : try_queue(t, queue);
	if (queue >= 0)
		(void)close(queue); /* releases the lock */
	return result;
}

/* "<job>.ahead" becomes "<job>"; false: it was none. */
static bool to_job(char *name)
{
	size_t length = job_ahead(name);

	if (length > 0)
		name[length] = '\0';
	return length > 0;
}

enum taken take(const struct spool *spool, const struct queued *job, const char *by, char *path,
	size_t size)
{
	struct queued meant = *job;
	struct taking t = {
		.spool = spool, .job = &meant, .by = by, .patience = { .left_ms = PATIENCE_MS }
	};
	int result;

	do {
		(void)snprintf(t.name, sizeof(t.name), "%s.%s", meant.name, meant.target);
		while ((result = try_once(&t)) == AGAIN)
			if (!queues_wait(&t.patience))
				return TAKEN_BUSY;
		/* Gone with what was sent ahead: the job is there itself. */
	} while (result == TAKEN_GONE && to_job(meant.name));
	(void)snprintf(path, size, "%s", t.path);
	return (enum taken)result;
}
