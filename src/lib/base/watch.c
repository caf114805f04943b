/*
 * Facts about libinotifytools 3.22.6 (Debian 12) that shape this file:
 * - it keeps its inotify descriptor to itself and without close-on-exec, so the descriptor is known
 * as the lowest free one before inotifytools_initialize();
 * - its time-outs are whole seconds and next_event(0) blocks, so waiting is our own poll(2) and
 * events are taken by next_events(0, 1) until there is none;
 * - when the kernel ends a watch (IN_IGNORED: the directory was removed) the library keeps its
 * entry for ever, finds it by name before a later one of the same name, and fails to remove it,
 * with a message. So we keep our own table with the watch descriptors, and start the library anew
 * when many such entries have gathered.
 */
#define _GNU_SOURCE /* syscall */
#include "base/watch.h"

#include "base/log.h"
#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <inotifytools/inotify.h>
#include <inotifytools/inotifytools.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STALE_MAX = 1000 };

struct entry {
	char *path;
	int wd;
	bool kept;  /* named since watch_begin() */
	bool ended; /* by the kernel: to be added again when it is named again */
};

static int inotify_fd = -1;
static int also = -1;         /* watch_also() */
static watch_take *taker;     /* watch_each() */
static struct entry *entries; /* sorted by path */
static size_t entry_count;
static size_t stale; /* entries that the library keeps for nothing */

/* The library's own calls come here, too. What the kernel has ended is gone as it should be; the
 * library would print that it failed, and keep its entry. */
int inotify_rm_watch(int fd, int wd)
{
	long result = syscall(SYS_inotify_rm_watch, fd, wd);

	return result < 0 && errno == EINVAL ? 0 : (int)result;
}

/* The kernel's name of what fd is: "anon_inode:inotify". */
static bool is_inotify(int fd)
{
	char path[64], target[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return strcmp(target, "anon_inode:inotify") == 0;
}

static int open_anew(void)
{
	int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

	if (lowest < 0)
		return -1;
	(void)close(lowest); /* only its number was wanted */
	if (!inotifytools_initialize()) {
		errno = inotifytools_error();
		return -1;
	}
	if (!is_inotify(lowest)) {
		errno = EBADF;
		return -1;
	}
	inotify_fd = lowest;
	return fcntl(lowest, F_SETFD, FD_CLOEXEC);
}

/* Where path is in the table, or would be. */
static size_t find(const char *path, bool *found)
{
	size_t low = 0, high = entry_count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(path, entries[middle].path);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int insert(size_t at, const char *path, int wd)
{
	struct entry *more = realloc(entries, (entry_count + 1) * sizeof(*entries));
	char *copy = strdup(path);

	if (more)
		entries = more;
	if (!more || !copy) {
		free(copy);
		errno = ENOMEM;
		return -1;
	}
	memmove(entries + at + 1, entries + at, (entry_count - at) * sizeof(*entries));
	entries[at] = (struct entry){ .path = copy, .wd = wd, .kept = true };
	entry_count++;
	return 0;
}

/* The kernel has one watch for a directory, which may have had another name until now: that watch
 * ends, for its events are told by the old name, and it would end with that. */
static bool end_others(int wd)
{
	bool any = false;

	for (size_t i = 0; i < entry_count; i++)
		if (entries[i].wd == wd && !entries[i].ended) {
			(void)inotifytools_remove_watch_by_wd(wd); /* gone is fine */
			entries[i].ended = any = true;
		}
	return any;
}

/* Returns the watch descriptor or -1. The library does not tell it; the kernel does, and gives the
 * same one to the library. New ones are greater than all before. */
static int start_watch(const char *path, unsigned int events)
{
	static int greatest;
	int wd = inotify_add_watch(inotify_fd, path, events);

	if (wd >= 0 && wd <= greatest && end_others(wd))
		wd = inotify_add_watch(inotify_fd, path, events);
	if (wd < 0)
		return -1;
	greatest = wd;
	if (inotifytools_watch_file(path, (int)events))
		return wd;
	errno = inotifytools_error();
	return -1;
}

/* Starts the library, anew with all watches. What happens meanwhile is found by the scan to come.
 */
static void restart(void)
{
	if (inotify_fd >= 0)
		inotifytools_cleanup();
	stale = 0;
	if (open_anew() < 0) /* the supervisor starts us again, with everything fresh */
		die(EXIT_TEMPORARY, "unable to start watching: %s", strerror(errno));
	for (size_t i = 0; i < entry_count; i++)
		entries[i].ended = true;
	if (taker)
		taker(NULL, "");
}

/* The kernel ended a watch. For one that we ended ourselves the library has no name any more. */
static void ignored(int wd)
{
	const char *path = inotifytools_filename_from_wd(wd);

	if (!path || !*path)
		return;
	stale++;
	for (size_t i = 0; i < entry_count; i++)
		entries[i].ended |= entries[i].wd == wd;
}

static void tell(const struct inotify_event *event)
{
	const char *path = event->wd < 0 ? NULL : inotifytools_filename_from_wd(event->wd);

	if (path || event->wd < 0) /* else it is of a watch that we have ended */
		taker(path, event->len > 0 ? event->name : "");
}

static void drain(void)
{
	const struct inotify_event *event;

	while ((event = inotifytools_next_events(0, 1)))
		if (event->mask & IN_IGNORED)
			ignored(event->wd);
		else if (taker)
			tell(event);
}

void watch_begin(void)
{
	if (inotify_fd < 0 || stale >= STALE_MAX)
		restart();
	drain(); /* what has happened until now is seen by the scan that begins */
	for (size_t i = 0; i < entry_count; i++)
		entries[i].kept = false;
}

int watch_keep(const char *path, unsigned int events)
{
	bool found;
	size_t at = find(path, &found);
	int wd;

	if (found && !entries[at].ended) {
		/* A watch belongs to what the path stood for then: another directory may have its
		 * name. */
		if (inotify_add_watch(inotify_fd, path, events) == entries[at].wd) {
			entries[at].kept = true;
			return 0;
		}
		(void)inotifytools_remove_watch_by_wd(entries[at].wd); /* gone is fine */
		entries[at].ended = true;
	}
	wd = start_watch(path, events);
	if (wd < 0)
		return -1;
	if (!found)
		return insert(at, path, wd);
	entries[at].wd = wd;
	entries[at].kept = true;
	entries[at].ended = false;
	return 0;
}

bool watch_still(const char *path)
{
	bool found;
	size_t at = find(path, &found);

	if (!found || entries[at].ended)
		return false;
	entries[at].kept = true;
	return true;
}

void watch_end(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < entry_count; i++) {
		struct entry entry = entries[i];

		if (entry.kept) {
			entries[kept++] = entry;
			continue;
		}
		if (!entry.ended)
			(void)inotifytools_remove_watch_by_wd(entry.wd); /* gone is fine */
		free(entry.path);
	}
	entry_count = kept;
}

void watch_each(watch_take *take)
{
	taker = take;
}

void watch_also(int fd)
{
	also = fd;
}

bool watch_wait(struct loop *loop, int64_t due_us, bool *due)
{
	enum { TREE = LOOP_OWN, ALSO, POLLED };
	struct pollfd polled[POLLED] = { [TREE] = { .fd = inotify_fd, .events = POLLIN },
		[ALSO] = { .fd = also, .events = POLLIN } };
	bool is_due = loop_poll(loop, due_us, polled, POLLED);

	if (polled[TREE].revents)
		drain();
	if (due)
		*due = is_due;
	return polled[TREE].revents || polled[ALSO].revents;
}
