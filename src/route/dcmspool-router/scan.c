#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/watch.h"
#include "spool/assoc.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

/* A new name or one that has gone is all that matters in incoming/ and receiving/; a close or a
 * change of attributes as well in incoming/, for files copied there by hand. */
enum {
	RECEIVING_EVENTS = IN_MOVED_FROM | IN_DELETE,
	INCOMING_EVENTS = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB,
	/* Inside a batch only what `touch .complete` does: renames of images must not wake us. */
	BATCH_EVENTS = IN_CLOSE_WRITE | IN_ATTRIB,
};

/* A batch that is complete. */
struct due {
	int64_t arrived_us; /* its first image */
	const char *name;
};

/* The scan's state: who is connected, and what is complete. */
struct round {
	struct router *router;
	struct disk_names connected; /* names in receiving/ */
	struct due *due;
	size_t due_count;
	struct disk_names loose; /* files dropped by hand that may be taken */
};

void look_again(struct router *router)
{
	loop_at(&router->loop, clock_now_us() + RETRY_US);
}

/* It cannot be known now: no descriptor is free, say. */
static void tell_failed_look(struct round *round, const char *name)
{
	log_error("unable to look at incoming/%s: %s; it is tried again", name, strerror(errno));
	look_again(round->router);
}

/* Does a connection that is still open count the batch among its own? 1, 0, or -1 with errno. */
static int is_fed(const struct round *round, int batch)
{
	char marker[ASSOC_MARKER_SIZE];
	int result;

	assoc_marker(assoc_unknown, marker);
	result = disk_exists(batch, marker);
	for (size_t i = 0; i < round->connected.count && result == 0; i++) {
		assoc_marker(round->connected.name[i], marker);
		result = disk_exists(batch, marker);
	}
	return result;
}

/* When the batch of connections is complete, STATES.md 4; -1 with errno. */
static int64_t received_due(const struct round *round, int batch, const char *name)
{
	const struct conf_router *conf = &round->router->conf->router;
	int64_t now_us = clock_now_us(), grace_us = conf->association_grace_ms * 1000;
	struct stat st;
	int fed;

	if (fstat(batch, &st) < 0)
		return -1;
	if (clock_mtime_us(&st) > now_us + 1000000) { /* the clock was set back */
		log_warning("incoming/%s is newer than now; counted from now", name);
		(void)futimens(batch, NULL); /* else it waits until then */
		return now_us + grace_us;
	}
	if (clock_mtime_us(&st) + grace_us > now_us)
		return clock_mtime_us(&st) + grace_us;
	fed = is_fed(round, batch);
	if (fed < 0)
		return -1;
	return clock_mtime_us(&st) + (fed ? conf->series_timeout_ms * 1000 : grace_us);
}

/* When the batch may be claimed; -1 with errno. */
static int64_t batch_due(const struct round *round, int batch, const char *name)
{
	int64_t rests_us = rest_until(&round->router->rest, name, NULL);
	int complete, job;

	if (rests_us > 0)
		return rests_us;
	complete = file_exists(batch, FILE_COMPLETE);
	if (complete != 0)
		return complete < 0 ? -1 : 0;
	job = job_exists(batch);
	if (job < 0)
		return -1;
	/* It may be a copy that is still being made (cp -r, mv from another file system). */
	return job ? quiet_due(round->router, name) : received_due(round, batch, name);
}

static int64_t arrived_us(int batch)
{
	json_t *series = series_load(batch);
	int64_t time_us = series_received_us(series);

	json_decref(series);
	return time_us < 0 ? clock_now_us() : time_us;
}

/* Has the moment come? Otherwise the loop knows when to look again. -1: errno says why it is not
 * known. */
static bool has_come(struct round *round, int64_t due_us, const char *name)
{
	if (due_us < 0 && errno != ENOENT)
		tell_failed_look(round, name);
	else if (due_us > clock_now_us())
		loop_at(&round->router->loop, due_us);
	else
		return due_us >= 0;
	return false;
}

/* Puts the batch among those that are due. */
static void look_at_batch(struct round *round, const char *name)
{
	int batch = disk_open_dir(round->router->spool.dir[SPOOL_INCOMING], name);

	if (batch < 0) {
		if (errno != ENOENT) /* claimed by another router just now */
			tell_failed_look(round, name);
		return;
	}
	if (has_come(round, batch_due(round, batch, name), name))
		round->due[round->due_count++] =
			(struct due){ .arrived_us = arrived_us(batch), .name = name };
	(void)close(batch); /* only looked at */
}

/* Claims the batch, if it is still complete now that nobody can add to it, and routes it. */
static void take_batch(struct round *round, const char *name)
{
	struct router *router = round->router;
	int64_t soon_us = router->conf->router.association_grace_ms * 1000 + 1000;
	int batch = disk_lock_dir(router->spool.dir[SPOOL_INCOMING], name, LOCK_EX | LOCK_NB);
	struct claim claim;

	if (batch < 0) {
		if (errno == EWOULDBLOCK) /* an image is being filed, or another router was first */
			loop_at(&router->loop, clock_now_us() + soon_us);
		else if (errno != ENOENT)
			tell_failed_look(round, name);
		return;
	}
	if (!has_come(round, batch_due(round, batch, name), name) ||
		!has_come(round, check_due(router, batch), name)) {
		(void)close(batch); /* releases the lock */
		return;
	}
	if (claim_batch(router, batch, name, &claim) < 0) {
		log_error(
			"unable to move incoming/%s to routing: %s; the user who runs dcmspool must be able to move it: chown it, or make it writable",
			name, strerror(errno));
		(void)rest_add(&router->rest, name, NULL); /* it is said again, without memory */
		look_again(router);
		(void)close(batch); /* releases the lock */
		return;
	}
	if (route(router, &claim) < 0)
		look_again(router);
}

static int by_arrival(const void *a, const void *b)
{
	const struct due *left = a, *right = b;

	return (left->arrived_us > right->arrived_us) - (left->arrived_us < right->arrived_us);
}

/* A file waits for the others that may be taken now. */
static void take_drop(struct round *round, const char *name)
{
	struct stat st;

	if (fstatat(round->router->spool.dir[SPOOL_INCOMING], name, &st, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		S_ISDIR(st.st_mode))
		drop_take(round->router, (char *[]){ (char *)name }, 1);
	else if (disk_names_add(&round->loose, name) < 0)
		tell_failed_look(round, name);
}

static void look_at_drop(struct round *round, const char *name)
{
	struct router *router = round->router;
	int64_t due_us = rest_until(&router->rest, name, NULL);

	if (due_us == 0)
		due_us = quiet_due(router, name);
	if (has_come(round, due_us, name) && !readers_are_busy(router))
		take_drop(round, name); /* else the end of a reader wakes us */
}

/* A batch or a job has series.json or job.json; everything else was dropped by hand, and a symbolic
 * link is no batch wherever it leads. -1: it cannot be known now (no descriptor is free, say). */
static int is_batch(int incoming, const char *name)
{
	int dir = disk_open_dir(incoming, name), series, job;

	if (dir < 0)
		return errno == ENOTDIR || errno == ELOOP || errno == ENOENT || errno == EACCES
			       ? 0
			       : -1;
	series = series_exists(dir);
	job = job_exists(dir);
	(void)close(dir); /* only looked at */
	return series < 0 || job < 0 ? -1 : series || job;
}

static void keep_watch(struct router *router, const char *path, unsigned int events)
{
	if (watch_keep(path, events) == 0 || errno == ENOENT)
		return;
	log_error("unable to watch %s: %s; it is tried again", path, strerror(errno));
	look_again(router);
}

static void look_at(struct round *round, const char *name)
{
	int incoming = round->router->spool.dir[SPOOL_INCOMING];
	char path[512];

	if (name[0] == '.')
		return; /* on its way: rsync and others write under such names and rename */
	switch (is_batch(incoming, name)) {
	case 0:
		look_at_drop(round, name);
		return;
	case -1:
		tell_failed_look(round, name);
		return;
	default:
		break;
	}
	(void)snprintf(path, sizeof(path), "incoming/%s/", name);
	keep_watch(round->router, path, BATCH_EVENTS);
	look_at_batch(round, name);
}

static void scan_incoming(struct router *router)
{
	int receiving = router->spool.dir[SPOOL_RECEIVING];
	int incoming = router->spool.dir[SPOOL_INCOMING];
	struct round round = { .router = router };
	struct disk_names names = { 0 };

	/* Who is connected is asked first: a connection that ends meanwhile makes an event. */
	if (disk_list(receiving, ".", &round.connected) == 0 &&
		disk_list(incoming, ".", &names) == 0)
		round.due = calloc(names.count + 1, sizeof(*round.due));
	if (!round.due) {
		log_error("unable to list receiving and incoming: %s; it is tried again",
			strerror(errno));
		look_again(router);
	}
	for (size_t i = 0; round.due && i < names.count; i++)
		look_at(&round, names.name[i]);
	watch_end();
	if (round.loose.count > 0 && !readers_are_busy(router))
		drop_take(router, round.loose.name, round.loose.count);
	if (round.due_count > 0)
		qsort(round.due, round.due_count, sizeof(*round.due), by_arrival);
	for (size_t i = 0; i < round.due_count; i++)
		take_batch(&round, round.due[i].name);
	free(round.due);
	disk_names_free(&names);
	disk_names_free(&round.loose);
	disk_names_free(&round.connected);
}

void scan(struct router *router)
{
	loop_forget(&router->loop);
	watch_begin();
	keep_watch(router, "receiving/", RECEIVING_EVENTS);
	keep_watch(router, "incoming/", INCOMING_EVENTS);
	if (clock_is_due(router->recover_us, RETRY_US)) {
		router->recover_us = 0;
		readers_recover(router);
	}
	if (scan_routing(router) < 0)
		look_again(router);
	scan_incoming(router);
	loop_at(&router->loop, router->recover_us);
}
