/*
 * This watcher uses inotify(7) itself and not watch.h: getdcmtags does not link libinotifytools,
 * whose licence (GPL-2.0) would become that of the reader.
 */
#define _GNU_SOURCE
#include "association.h"

#include "base/disk.h"
#include "filing.h"
#include "base/log.h"
#include "base/str.h"
#include "spool/assoc.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { GATHER_MS = 20 };

enum { INPUT, EVENTS, POLLED };

struct watcher {
	struct filing filing;
	int dir;                   /* receiving/<association> */
	int events;                /* inotify */
	int reading;               /* .reading: which file we are at, for whoever finds us dead */
	struct disk_names pending; /* files of which storescp may be writing the last one still */
	bool failed;               /* something could not be filed */
};

/* Our own files in an association's directory; storescp's are named otherwise. */
static bool is_ours(const char *name)
{
	return name[0] == '.' || file_is_ours(FILE_IN_ASSOCIATION, name);
}

/* What is ours at the top of a dropped directory: the reasons of a quarantine moved back, and what
 * a batch holds for which there was no room on the disk. Everything else, and all that lies deeper,
 * is somebody's. */
static bool is_spent(const char *name)
{
	return strcmp(name, file_name(FILE_REASON)) == 0 || assoc_is_marker(name) ||
	       file_is_temporary(name);
}

/* path: relative to the association's directory, for whoever quarantines it after a crash of ours.
 */
static void say_reading(const struct watcher *w, const char *path)
{
	if (assoc_reading_say(w->reading, path) < 0)
		log_warning("unable to note the file being read: %s", strerror(errno));
}

/* An empty file is what storescp leaves when it is killed before its first write: no image, and
 * nothing of one. */
static bool is_empty_rest(const struct watcher *w, const char *name)
{
	struct stat st;

	return !w->filing.dropped && fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_size == 0;
}

static void file_one(struct watcher *w, int dir, const char *name, bool walk)
{
	if (filing_file(&w->filing, dir, name, walk) == FILING_FAILED)
		w->failed = true;
}

/* Files what lies directly in the association's directory. */
static void file_here(struct watcher *w, const char *name, bool walk)
{
	say_reading(w, name);
	if (walk && is_empty_rest(w, name))
		w->failed |= disk_unlink(w->dir, name) < 0;
	else
		file_one(w, w->dir, name, walk);
}

/* Files everything of one directory of a dropped tree and puts its directories on the list. */
static void file_dropped_dir(struct watcher *w, const char *path, struct disk_names *list)
{
	struct disk_names names;
	struct stat st;
	int dir = disk_open_dir(w->dir, path);

	if (dir < 0 || disk_list(dir, ".", &names) < 0) {
		log_error("unable to read the dropped directory %s: %s", path, strerror(errno));
		w->failed = true;
		if (dir >= 0)
			(void)close(dir);
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.name[i];
		struct buf below = { 0 };

		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			w->failed |= errno != ENOENT;
			continue;
		}
		buf_printf(&below, "%s/%s", path, name);
		if (below.failed) {
			w->failed = true;
		} else if (S_ISDIR(st.st_mode)) {
			w->failed |= disk_names_add(list, below.data) < 0;
		} else if (!strchr(path, '/') && is_spent(name)) {
			w->failed |= disk_unlink(dir, name) < 0;
		} else {
			say_reading(w, below.data);
			file_one(w, dir, name, true);
		}
		buf_free(&below);
	}
	disk_names_free(&names);
	(void)close(dir); /* only used as a base */
}

/* Files a dropped tree: its directories breadth first, then removes them, the deepest first. What
 * arrives meanwhile keeps its directory from being removed and is filed by the next try. */
static void file_dropped_tree(struct watcher *w, const char *top)
{
	struct disk_names list = { 0 };

	if (disk_names_add(&list, top) < 0) {
		w->failed = true;
		return;
	}
	for (size_t i = 0; i < list.count; i++)
		file_dropped_dir(w, list.name[i], &list);
	for (size_t i = list.count; i-- > 0;)
		if (unlinkat(w->dir, list.name[i], AT_REMOVEDIR) < 0 && errno != ENOENT) {
			log_warning("unable to remove the dropped directory %s: %s", list.name[i],
				strerror(errno));
			w->failed = true;
		}
	disk_names_free(&list);
}

/* The end: files whatever is there; walk: nothing is believed before it was walked to its end. */
static void file_rest(struct watcher *w, bool walk)
{
	struct disk_names names;
	struct stat st;

	if (disk_list(w->dir, ".", &names) < 0) {
		log_error(
			"unable to list receiving/%s: %s", w->filing.association, strerror(errno));
		w->failed = true;
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.name[i];

		if (file_is_ours(FILE_IN_ASSOCIATION, name) ||
			(name[0] == '.' && !w->filing.dropped))
			continue;
		if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			w->failed |= errno != ENOENT;
		else if (S_ISDIR(st.st_mode))
			file_dropped_tree(w, name);
		else
			file_here(w, name, walk);
	}
	disk_names_free(&names);
}

static void add_pending(struct watcher *w, const char *name)
{
	if (disk_names_add(&w->pending, name) < 0) {
		log_error("out of memory");
		w->failed = true;
	}
}

/* A new file: storescp has gone on, so those before are finished. */
static void next_file(struct watcher *w, const char *name)
{
	if (is_ours(name))
		return;
	for (size_t i = 0; i < w->pending.count; i++)
		if (strcmp(w->pending.name[i], name) != 0) /* seen by file_older() already */
			file_here(w, w->pending.name[i], false);
	disk_names_free(&w->pending);
	add_pending(w, name);
}

/* Returns -1 when there is no such file of storescp's. */
static int written_at(const struct watcher *w, const char *name, struct timespec *time)
{
	struct stat st;

	if (is_ours(name) || fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(st.st_mode))
		return -1;
	*time = st.st_mtim;
	return 0;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* Files what was there before we watched: storescp was faster, or a predecessor of ours crashed. It
 * writes one file after the other, so all that are older than the newest are finished. */
static void file_older(struct watcher *w)
{
	struct timespec newest = { 0 }, time;
	struct disk_names names;

	if (disk_list(w->dir, ".", &names) < 0)
		return; /* file_rest() will say so */
	for (size_t i = 0; i < names.count; i++)
		if (written_at(w, names.name[i], &time) == 0 && is_before(&newest, &time))
			newest = time;
	for (size_t i = 0; i < names.count; i++) {
		if (written_at(w, names.name[i], &time) < 0)
			continue;
		if (is_before(&time, &newest))
			file_here(w, names.name[i], false);
		else
			add_pending(w, names.name[i]);
	}
	disk_names_free(&names);
}

/* Takes the waiting events. An overflow loses names, not files: file_rest() finds them at the end.
 */
static void take_events(struct watcher *w)
{
	char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n;

	while ((n = read(w->events, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			if (event->len > 0)
				next_file(w, event->name);
			at += (ssize_t)sizeof(*event) + event->len;
		}
}

static int open_all(struct watcher *w, const char *path)
{
	json_t *association;

	w->dir = disk_open_dir(w->filing.spool->dir[SPOOL_ROOT], path);
	if (w->dir < 0)
		return -1;
	association = assoc_load(w->dir);
	if (!association) /* died before it was written, or the disk was full: go on without it */
		log_warning("%s/association.json is missing or damaged", path);
	w->filing.sender = association ? assoc_sender(association) : json_object();
	w->filing.stand_ins = json_incref(assoc_stand_ins(association));
	w->filing.dropped = assoc_is_dropped(association);
	json_decref(association);
	w->reading = assoc_reading_open(w->dir);
	w->events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->reading < 0 || w->events < 0)
		return -1;
	return inotify_add_watch(w->events, path, IN_CREATE | IN_ONLYDIR);
}

/* Waits for what storescp does until standard input tells its end: 'c' or 'b', or end of file. */
static char follow(struct watcher *w)
{
	struct pollfd polled[POLLED] = {
		[INPUT] = { .fd = STDIN_FILENO, .events = POLLIN },
		[EVENTS] = { .fd = w->events, .events = POLLIN },
	};
	char end = 'b';

	/* When the end has been told already, nobody knows what happened before: file_rest() walks
	 * it. */
	if (poll(polled, 1, 0) == 0)
		file_older(w);
	while (!w->failed) {
		if (poll(polled, POLLED, -1) < 0) {
			if (errno == EINTR)
				continue;
			die(EXIT_BUG, "unable to poll: %s", strerror(errno));
		}
		if (polled[EVENTS].revents) {
			/* Filing takes 40 microseconds, waking up more: several images at once. The
			 * end, which somebody may be waiting for, is seen without delay. */
			(void)poll(&polled[INPUT], 1, GATHER_MS);
			take_events(w);
		}
		if (polled[INPUT].revents) {
			if (read(STDIN_FILENO, &end, 1) != 1)
				end = 'b';
			break;
		}
	}
	return end;
}

int association_watch(const struct spool *spool, const char *path)
{
	struct watcher w = { .filing = { .spool = spool }, .dir = -1, .events = -1, .reading = -1 };
	const char *prefix = "receiving/";
	char end;

	if (strncmp(path, prefix, strlen(prefix)) != 0 || !name_ok(path + strlen(prefix)))
		die(EXIT_PERMANENT, "%s is not receiving/<association>", path);
	w.filing.association = w.filing.label = path + strlen(prefix);
	if (open_all(&w, path) < 0)
		die(EXIT_TEMPORARY, "unable to watch %s: %s", path, strerror(errno));
	end = follow(&w);
	if (!w.failed)
		file_rest(&w, end != 'c');
	disk_names_free(&w.pending);
	json_decref(w.filing.stand_ins);
	json_decref(w.filing.sender);
	return w.failed ? EXIT_TEMPORARY : 0;
}
