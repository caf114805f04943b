/*
 * This watcher uses inotify(7) itself and not watch.h: getdcmtags does not link libinotifytools,
 * whose licence (GPL-2.0) would become that of the reader.
 */
#define _GNU_SOURCE
#include "follow.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "filing.h"
#include "spool/assoc.h"
#include "spool/reason.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A dropped directory whose path is longer than DEEP is moved up: no call takes paths of PATH_MAX.
 */
enum { GATHER_US = 20000, DEEP = 2000 };

struct watcher {
	struct filing filing;
	int dir;     /* receiving/<association> */
	int events;  /* inotify */
	int reading; /* .reading: which file we are at, for whoever finds us dead */
	struct assoc_counts counts;
	bool failed; /* something could not be filed */
};

/* What is ours at the top of a dropped directory: in a quarantine moved back its reasons and what a
 * batch holds; in a batch for which there was no room on the disk what is empty of that. Everything
 * else, and all that lies deeper, is somebody's. */
static bool is_spent(const char *name, bool back, const struct stat *st)
{
	if (strcmp(name, file_name(FILE_REASON)) == 0 || strcmp(name, file_name(FILE_TOLD)) == 0)
		return back;
	return (assoc_is_marker(name) || file_is_temporary(name)) && (back || st->st_size == 0);
}

/* path: relative to the association's directory, for whoever quarantines it after a crash of ours;
 * "": none. */
static void say_reading(const struct watcher *w, const char *path)
{
	if (assoc_reading_say(w->reading, &w->counts, path) < 0)
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

/* path: of dir/name from the association's directory on. */
static void file_one(struct watcher *w, int dir, const char *name, const char *path, bool walk)
{
	w->counts.received++;
	say_reading(w, path);
	switch (filing_file(&w->filing, dir, name, walk)) {
	case FILING_FILED:
		w->counts.filed++;
		break;
	case FILING_DUPLICATE:
		w->counts.duplicates++;
		break;
	case FILING_QUARANTINED:
		w->counts.quarantined++;
		break;
	case FILING_FAILED:
		w->failed = true;
		/* fall through */
	case FILING_GONE:
		w->counts.received--;
		break;
	}
}

/* Files what storescp has left directly in the association's directory, at its end. Without ".ok"
 * it was never acknowledged, and the sender has it still. */
static void file_here(struct watcher *w, const char *name)
{
	bool acknowledged = assoc_is_acknowledged(name);

	if ((w->filing.has_ok && !acknowledged) || (!w->filing.has_ok && is_empty_rest(w, name)))
		w->failed |= disk_unlink(w->dir, name) < 0;
	else
		file_one(w, w->dir, name, name, !w->filing.has_ok);
}

/* Moves a directory that lies too deep to the second level of its tree, so that it has a short
 * path.
 */
static int lift(
	struct watcher *w, int dir, const char *name, const char *path, struct disk_names *list)
{
	char lifted[NAME_MAX + 32], made[NAME_MAX + 32];

	(void)snprintf(lifted, sizeof(lifted), "%.*s/deep", (int)strcspn(path, "/"), path);
	if (disk_rename_unique(dir, name, w->dir, lifted, made, sizeof(made)) < 0)
		return -1;
	return disk_names_add(list, made);
}

/* Files everything of one directory of a dropped tree and puts its directories on the list. */
static void file_dropped_dir(struct watcher *w, const char *path, struct disk_names *list)
{
	struct disk_names names;
	struct stat st;
	int dir = disk_open_dir(w->dir, path);
	bool top = !strchr(path, '/'), back = dir >= 0 && top && reason_is_of(dir);

	if (dir >= 0)
		disk_let_write(dir);
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
		} else if (S_ISDIR(st.st_mode) && below.length > DEEP) {
			w->failed |= lift(w, dir, name, path, list) < 0;
		} else if (S_ISDIR(st.st_mode)) {
			w->failed |= disk_names_add(list, below.data) < 0;
		} else if (top && is_spent(name, back, &st)) {
			w->failed |= disk_unlink(dir, name) < 0;
		} else {
			file_one(w, dir, name, below.data, true);
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

/* Files all that was acknowledged; at the end whatever is there. */
static void file_all(struct watcher *w, bool end)
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
		if (!end && !(w->filing.has_ok && assoc_is_acknowledged(name)))
			continue;
		if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			w->failed |= errno != ENOENT;
		else if (S_ISDIR(st.st_mode))
			file_dropped_tree(w, name);
		else
			file_here(w, name);
	}
	disk_names_free(&names);
	say_reading(w, "");
}

/* Takes the waiting events: each names an image that was acknowledged. */
static void take_events(struct watcher *w)
{
	char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool overflow = false;
	ssize_t n;

	while ((n = read(w->events, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			overflow |= (event->mask & IN_Q_OVERFLOW) != 0;
			if (event->len > 0 && w->filing.has_ok &&
				assoc_is_acknowledged(event->name))
				file_here(w, event->name);
			at += (ssize_t)sizeof(*event) + event->len;
		}
	if (overflow)
		file_all(w, false);
	say_reading(w, "");
}

/* A predecessor was killed at a file: was it before its rename or after? */
static void go_on_counting(struct watcher *w)
{
	char *path = assoc_reading_load(w->dir, &w->counts);

	if (path && *path && disk_exists(w->dir, path) == 0)
		w->counts.filed++;
	else if (path && *path)
		w->counts.received--;
	free(path);
}

static int open_all(struct watcher *w, const char *path)
{
	json_t *association;

	w->dir = disk_open_dir(w->filing.spool->dir[SPOOL_ROOT], path);
	if (w->dir < 0)
		return -1;
	association = assoc_load(w->dir);
	if (!association && errno != ENOENT && errno != EINVAL)
		return -1; /* it says how the files are to be read */
	if (!association)  /* died before it was written, or the disk was full: go on without it */
		log_warning("%s/association.json is missing or damaged", path);
	w->filing.sender = association ? assoc_sender(association) : json_object();
	w->filing.stand_ins = json_incref(assoc_stand_ins(association));
	w->filing.dropped = assoc_is_dropped(association);
	w->filing.has_ok = assoc_has_ok(association);
	json_decref(association);
	go_on_counting(w);
	w->reading = assoc_reading_open(w->dir);
	w->events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->reading < 0 || w->events < 0)
		return -1;
	return inotify_add_watch(w->events, path, IN_MOVED_TO | IN_ONLYDIR);
}

/* Files what is acknowledged until standard input ends: then storescp has ended. */
static void follow(struct watcher *w)
{
	enum { INPUT = LOOP_OWN, EVENTS, POLLED };
	struct pollfd polled[POLLED] = { [INPUT] = { .fd = STDIN_FILENO, .events = POLLIN },
		[EVENTS] = { .fd = w->events, .events = POLLIN } };
	struct loop loop;

	loop_open_bare(&loop);
	file_all(w, false);
	while (!w->failed && !polled[INPUT].revents) {
		(void)loop_poll(&loop, 0, polled, POLLED);
		if (!polled[EVENTS].revents)
			continue;
		/* Filing takes 40 microseconds, waking up more: several images at once. The end,
		 * which somebody may be waiting for, is seen without delay. */
		(void)loop_poll(&loop, clock_now_us() + GATHER_US, polled, EVENTS);
		take_events(w);
	}
}

int follow_association(const struct spool *spool, const char *path)
{
	struct watcher w = { .filing = { .spool = spool }, .dir = -1, .events = -1, .reading = -1 };
	const char *prefix = "receiving/";

	if (strncmp(path, prefix, strlen(prefix)) != 0 || !name_ok(path + strlen(prefix)))
		die(EXIT_PERMANENT, "%s is not receiving/<association>", path);
	w.filing.association = w.filing.label = path + strlen(prefix);
	if (open_all(&w, path) < 0)
		die(EXIT_TEMPORARY, "unable to watch %s: %s", path, strerror(errno));
	follow(&w);
	if (!w.failed)
		file_all(&w, true);
	json_decref(w.filing.stand_ins);
	json_decref(w.filing.sender);
	return w.failed ? EXIT_TEMPORARY : 0;
}
