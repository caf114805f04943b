#include "router.h"

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

/* The scan's state: who is connected, what is complete, and when we must look again. */
struct round {
	struct router *router;
	struct disk_names connected; /* names in receiving/ */
	struct due *due;
	size_t due_count;
	int64_t next_us; /* 0: never */
};

static int64_t mtime_us(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;
}

static void look_again(struct round *round, int64_t due_us)
{
	if (round->next_us == 0 || due_us < round->next_us)
		round->next_us = due_us;
}

/* Does a connection that is still open count the batch among its own? */
static bool is_fed(const struct round *round, int batch)
{
	char marker[ASSOC_MARKER_SIZE];

	assoc_marker(assoc_unknown, marker);
	if (disk_exists(batch, marker) == 1)
		return true;
	for (size_t i = 0; i < round->connected.count; i++) {
		assoc_marker(round->connected.name[i], marker);
		if (disk_exists(batch, marker) == 1)
			return true;
	}
	return false;
}

/* When the batch is complete, STATES.md 4. */
static int64_t batch_due(const struct round *round, int batch, const char *name)
{
	const struct conf_router *conf = &round->router->conf->router;
	int64_t now_us = spool_now_us(), quiet_us = drop_rests_until(round->router, name);
	struct stat st;

	if (quiet_us > 0)
		return quiet_us;
	if (file_exists(batch, FILE_COMPLETE) == 1)
		return now_us;
	/* It may be a copy that is still being made (cp -r, mv from another file system). */
	if (job_exists(batch) == 1)
		return drop_due(round->router, name);
	if (fstat(batch, &st) < 0)
		return now_us + conf->series_timeout_ms * 1000;
	if (mtime_us(&st) > now_us + 1000000) { /* the clock was set back */
		log_warning("incoming/%s is newer than now; counted from now", name);
		(void)futimens(batch, NULL); /* else it waits until then */
		return now_us + conf->association_grace_ms * 1000;
	}
	quiet_us = mtime_us(&st) + conf->association_grace_ms * 1000;
	if (quiet_us > now_us || !is_fed(round, batch))
		return quiet_us;
	return mtime_us(&st) + conf->series_timeout_ms * 1000;
}

static int64_t arrived_us(int batch)
{
	json_t *series = series_load(batch);
	int64_t time_us = series_received_us(series);

	json_decref(series);
	return time_us < 0 ? spool_now_us() : time_us;
}

/* Puts the batch among those that are due, or notes when it will be. */
static void look_at_batch(struct round *round, const char *name)
{
	int batch = disk_open_dir(round->router->spool.dir[SPOOL_INCOMING], name);
	int64_t due_us;

	if (batch < 0)
		return; /* claimed by another router just now */
	due_us = batch_due(round, batch, name);
	if (due_us > spool_now_us())
		look_again(round, due_us);
	else
		round->due[round->due_count++] =
			(struct due){ .arrived_us = arrived_us(batch), .name = name };
	(void)close(batch); /* only looked at */
}

/* Claims the batch, if it is still complete now that nobody can add to it, and routes it. */
static void take_batch(struct round *round, const char *name)
{
	int64_t soon_us = round->router->conf->router.association_grace_ms * 1000 + 1000, due_us;
	int batch =
		disk_lock_dir(round->router->spool.dir[SPOOL_INCOMING], name, LOCK_EX | LOCK_NB);
	struct claim claim;

	if (batch < 0) {
		if (errno == EWOULDBLOCK) /* an image is being filed, or another router was first */
			look_again(round, spool_now_us() + soon_us);
		return;
	}
	due_us = batch_due(round, batch, name);
	if (due_us > spool_now_us()) {
		look_again(round, due_us);
		(void)close(batch); /* releases the lock */
		return;
	}
	if (claim_batch(round->router, batch, name, &claim) < 0) {
		log_error("unable to move incoming/%s to routing: %s; the user who runs dcmspool "
			  "must be "
			  "able to move it: chown it, or make it writable",
			name, strerror(errno));
		drop_rest(round->router, name);
		look_again(round, spool_now_us() + RETRY_US);
		(void)close(batch); /* releases the lock */
		return;
	}
	if (route(round->router, &claim) < 0)
		look_again(round, spool_now_us() + RETRY_US);
}

static int by_arrival(const void *a, const void *b)
{
	const struct due *left = a, *right = b;

	return (left->arrived_us > right->arrived_us) - (left->arrived_us < right->arrived_us);
}

static void look_at_drop(struct round *round, const char *name)
{
	int64_t due_us = drop_due(round->router, name);

	if (due_us < 0)
		return; /* gone */
	if (due_us > spool_now_us())
		look_again(round, due_us);
	else if (round->router->readers >= READERS_MAX)
		return; /* the end of one wakes us */
	else if (drop_take(round->router, name) < 0)
		look_again(round, spool_now_us() + RETRY_US);
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

static void keep_watch(struct round *round, const char *path, unsigned int events)
{
	if (watch_keep(path, events) == 0 || errno == ENOENT)
		return;
	log_error("unable to watch %s: %s; it is tried again", path, strerror(errno));
	look_again(round, spool_now_us() + RETRY_US);
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
		log_error("unable to look at incoming/%s: %s; it is tried again", name,
			strerror(errno));
		look_again(round, spool_now_us() + RETRY_US);
		return;
	default:
		break;
	}
	(void)snprintf(path, sizeof(path), "incoming/%s/", name);
	keep_watch(round, path, BATCH_EVENTS);
	look_at_batch(round, name);
}

int64_t scan(struct router *router)
{
	struct round round = { .router = router };
	struct disk_names names;
	int64_t now_us;

	watch_begin();
	keep_watch(&round, "receiving/", RECEIVING_EVENTS);
	keep_watch(&round, "incoming/", INCOMING_EVENTS);
	now_us = spool_now_us();
	if (router->recover_us > 0 &&
		(router->recover_us <= now_us || router->recover_us > now_us + RETRY_US)) {
		router->recover_us = 0; /* due, or the clock was set back */
		drop_recover(router);
	}
	if (router->recover_us > 0)
		look_again(&round, router->recover_us);
	if (scan_routing(router) < 0)
		look_again(&round, spool_now_us() + RETRY_US);
	/* Who is connected is asked first: a connection that ends meanwhile makes an event. */
	if (disk_list(router->spool.dir[SPOOL_RECEIVING], ".", &round.connected) < 0 ||
		disk_list(router->spool.dir[SPOOL_INCOMING], ".", &names) < 0)
		die(EXIT_TEMPORARY, "unable to list receiving and incoming: %s", strerror(errno));
	round.due = calloc(names.count + 1, sizeof(*round.due));
	if (!round.due)
		die(EXIT_TEMPORARY, "out of memory");
	for (size_t i = 0; i < names.count; i++)
		look_at(&round, names.name[i]);
	watch_end();
	qsort(round.due, round.due_count, sizeof(*round.due), by_arrival);
	for (size_t i = 0; i < round.due_count; i++)
		take_batch(&round, round.due[i].name);
	free(round.due);
	disk_names_free(&names);
	disk_names_free(&round.connected);
	return round.next_us;
}
