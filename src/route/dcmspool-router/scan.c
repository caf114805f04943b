#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/watch.h"
#include "spool/assoc.h"
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
};

/* A batch that is complete. */
struct due {
	int64_t arrived_us; /* its first image */
	const char *name;
	bool resend;
};

/* So many groups are taken before everything is looked at anew: what has come meanwhile may be
 * urgent. */
enum { GROUPS = 4 };

/* The scan's state: who is connected, and what is complete. */
struct round {
	struct router *router;
	struct disk_names connected; /* names in receiving/ */
	struct due *due;
	size_t due_count;
	struct resends resends;
	struct disk_names loose; /* files dropped by hand that may be taken */
};

void look_again(struct router *router)
{
	loop_at(&router->loop, clock_now_us() + RETRY_US);
}

void scan_watch(struct router *router, const char *path, unsigned int events)
{
	if (watch_keep(path, events) == 0 || errno == ENOENT)
		return;
	log_error("unable to watch %s: %s; it is tried again", path, strerror(errno));
	look_again(router);
}

/* It cannot be known now: no descriptor is free, say. */
static void tell_failed_look(struct round *round, const char *name)
{
	log_error("unable to look at incoming/%s: %s; it is tried again", name, strerror(errno));
	look_again(round->router);
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

static int64_t arrived_us(int batch)
{
	json_t *series = series_load(batch);
	int64_t time_us = series_received_us(series);

	json_decref(series);
	return time_us < 0 ? clock_now_us() : time_us;
}

static void add_due(struct round *round, const char *name, int64_t arrived, bool resend)
{
	round->due[round->due_count++] =
		(struct due){ .arrived_us = arrived, .name = name, .resend = resend };
}

/* When the batch is complete; noted as known. -1 with errno. */
static int64_t look_due(struct round *round, int batch, struct known *known)
{
	known->due_us =
		complete_due(round->router, &round->connected, batch, known->name, &known->fed);
	if (known->due_us >= 0)
		known_set(round->router, known);
	return known->due_us;
}

/* Puts the batch among those that are due. resend: it has job.json. */
static void look_at_batch(struct round *round, const char *name, const char *path, bool resend)
{
	int batch = disk_open_dir(round->router->spool.dir[SPOOL_INCOMING], name);
	struct known known = { .name = name, .resend = resend };

	if (batch < 0) {
		if (errno != ENOENT) /* claimed by another router just now */
			tell_failed_look(round, name);
		return;
	}
	if (resend && resends_add(&round->resends, batch, name) < 0) {
		tell_failed_look(round, name);
	} else if (has_come(round, look_due(round, batch, &known), name)) {
		known.arrived_us = arrived_us(batch);
		known_set(round->router, &known);
		add_due(round, name, known.arrived_us, resend);
	} else if (!resend) {
		early_look(round->router, batch, name, path);
	}
	(void)close(batch); /* only looked at */
}

/* Is there nothing to be looked at, because what is known of it tells? */
static bool is_known(struct round *round, const char *name, const char *path)
{
	struct known *known = known_find(round->router, name);

	if (!known || known->resend || !watch_still(path))
		return false;
	if (known->due_us > clock_now_us())
		loop_at(&round->router->loop, known->due_us);
	else if (known->arrived_us > 0)
		add_due(round, name, known->arrived_us, false);
	else
		return false;
	return true;
}

/* Somebody else is at it: soon it will be gone, or free. */
static void look_soon(struct round *round)
{
	loop_at(&round->router->loop,
		clock_now_us() + round->router->conf->router.association_grace_ms * 1000 + 1000);
}

/* Claims the batch, if it is still complete now that nobody can add to it. -1: not now. */
static int claim_due(struct round *round, const struct due *due, struct claim *claim)
{
	struct router *router = round->router;
	const char *name = due->name;
	int batch = disk_lock_dir(router->spool.dir[SPOOL_INCOMING], name, LOCK_EX | LOCK_NB);
	struct known known = { .name = name, .arrived_us = due->arrived_us, .resend = due->resend };

	if (batch < 0) {
		if (errno == EWOULDBLOCK) /* an image is being filed, or another router was first */
			look_soon(round);
		else if (errno != ENOENT)
			tell_failed_look(round, name);
		return -1;
	}
	if (!has_come(round, look_due(round, batch, &known), name) ||
		!has_come(round, check_due(router, batch), name))
		goto out;
	if (resends_take(router, &round->resends, batch, name) < 0) {
		if (errno == EWOULDBLOCK)
			look_soon(round);
		else
			tell_failed_look(round, name);
		goto out;
	}
	if (claim_batch(router, batch, name, claim) == 0)
		return 0;
	log_error(
		"unable to move incoming/%s to routing: %s; "
		"the user who runs dcmspool must be able to move it: chown it, or make it writable",
		name, strerror(errno));
	(void)rest_add(&router->rest, name, NULL); /* it is said again, without memory */
	look_again(router);
out:
	(void)close(batch); /* releases the lock */
	return -1;
}

/* Claims the batch; -1: not now. Resends are claimed by one router at a time, or two would claim
 * the same images twice, neither having a resend that the other one could take along. */
static int take_batch(struct round *round, const struct due *due, struct claim *claim)
{
	struct router *router = round->router;
	int all = -1, result;

	if (due->resend)
		all = disk_lock_dir(router->spool.dir[SPOOL_ROOT], spool_name(SPOOL_INCOMING),
			LOCK_EX | LOCK_NB);
	if (due->resend && all < 0) {
		if (errno == EWOULDBLOCK)
			look_soon(round);
		else
			tell_failed_look(round, due->name);
		return -1;
	}
	result = claim_due(round, due, claim);
	if (all >= 0)
		(void)close(all); /* releases the lock */
	return result;
}

/* Routes what is due, a group at a time. */
static void take_due(struct round *round)
{
	struct router *router = round->router;
	struct claim claims[GROUP_MAX];
	size_t i = 0, count;

	for (int groups = 0; i < round->due_count && loop_goes_on(&router->loop); groups++) {
		if (groups == GROUPS) {
			loop_at(&router->loop, LOOP_NOW);
			break;
		}
		for (count = 0; i < round->due_count && count < router->group; i++)
			count += take_batch(round, &round->due[i], &claims[count]) == 0;
		if (route(router, claims, count) < 0)
			look_again(router);
		loop_take_signals(&router->loop);
	}
}

static int by_arrival(const void *a, const void *b)
{
	const struct due *left = a, *right = b;

	if (left->arrived_us != right->arrived_us)
		return left->arrived_us < right->arrived_us ? -1 : 1;
	return strcmp(left->name, right->name); /* one job moved back several times, most likely */
}

/* A directory may be a batch that getdcmtags is making just now: it has the lock, or series.json
 * has come since it was looked at. What cannot be locked because of its owner is no batch. */
static void take_directory(struct round *round, const char *name)
{
	int incoming = round->router->spool.dir[SPOOL_INCOMING];
	int dir = disk_lock_dir(incoming, name, LOCK_EX | LOCK_NB);
	int series = dir < 0 ? -1 : series_exists(dir);

	if (series == 0 || (dir < 0 && errno == EACCES))
		drop_take(round->router, (char *[]){ (char *)name }, 1);
	else if (series > 0 || errno == EWOULDBLOCK)
		look_soon(round);
	else if (errno != ENOENT)
		tell_failed_look(round, name);
	if (dir >= 0)
		(void)close(dir); /* releases the lock */
}

/* A file waits for the others that may be taken now. */
static void take_drop(struct round *round, const char *name)
{
	struct stat st;

	if (fstatat(round->router->spool.dir[SPOOL_INCOMING], name, &st, AT_SYMLINK_NOFOLLOW) ==
			0 &&
		S_ISDIR(st.st_mode))
		take_directory(round, name);
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

/* What a name in incoming/ is. */
enum thing { UNKNOWN, DROP, BATCH, RESEND };

/* A batch has series.json, a job job.json; everything else was dropped by hand, and a symbolic link
 * is no batch wherever it leads. UNKNOWN: it cannot be known now (no descriptor is free, say). */
static enum thing thing_of(int incoming, const char *name)
{
	int dir = disk_open_dir(incoming, name), series, job;

	if (dir < 0)
		return errno == ENOTDIR || errno == ELOOP || errno == ENOENT || errno == EACCES
			       ? DROP
			       : UNKNOWN;
	series = series_exists(dir);
	job = job_exists(dir);
	(void)close(dir); /* only looked at */
	if (series < 0 || job < 0)
		return UNKNOWN;
	return job ? RESEND : series ? BATCH : DROP;
}

static void look_at(struct round *round, const char *name)
{
	char path[512];
	enum thing thing;

	if (name[0] == '.')
		return; /* on its way: rsync and others write under such names and rename */
	(void)snprintf(path, sizeof(path), "incoming/%s/", name);
	if (is_known(round, name, path))
		return;
	if (round->router->cuts_through)
		early_watch(round->router, name, path);
	thing = thing_of(round->router->spool.dir[SPOOL_INCOMING], name);
	if (thing == DROP) {
		look_at_drop(round, name);
	} else if (thing == UNKNOWN) {
		tell_failed_look(round, name);
	} else {
		if (!round->router->cuts_through)
			scan_watch(round->router, path, BATCH_EVENTS);
		look_at_batch(round, name, path, thing == RESEND);
	}
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
	known_sweep(router, names.count);
	if (round.loose.count > 0 && !readers_are_busy(router))
		drop_take(router, round.loose.name, round.loose.count);
	if (round.due_count > 0)
		qsort(round.due, round.due_count, sizeof(*round.due), by_arrival);
	take_due(&round);
	free(round.due);
	disk_names_free(&names);
	resends_free(&round.resends);
	disk_names_free(&round.loose);
	disk_names_free(&round.connected);
}

void scan(struct router *router)
{
	loop_forget(&router->loop);
	watch_begin();
	router->woken = false;
	scan_watch(router, "receiving/", RECEIVING_EVENTS);
	scan_watch(router, "incoming/", INCOMING_EVENTS);
	if (clock_is_due(router->recover_us, RETRY_US)) {
		router->recover_us = 0;
		readers_recover(router);
	}
	if (scan_routing(router) < 0)
		look_again(router);
	scan_incoming(router);
	loop_at(&router->loop, router->recover_us);
}
