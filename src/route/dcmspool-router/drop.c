/*
 * What a person copies or moves into incoming/ becomes receiving/<a>/<name> by one rename, and is
 * then read by dcmspool-association -r exactly like what a broken connection left behind.
 */
#define _GNU_SOURCE /* F_SETLEASE */
#include "router.h"

#include "base/log.h"
#include "base/run.h"
#include "base/str.h"
#include "spool/assoc.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { DIRECTORIES_MAX = 100000, WRITING_US = 1000000 };

static int64_t ctime_us(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000000 + st->st_ctim.tv_nsec / 1000;
}

/* Has anybody this file open for writing? A lease is the kernel's answer to that (fcntl(2)); it is
 * given to the file's owner only: 1 yes, 0 no, -1 not to be known. */
static int is_being_written(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), result = 0;

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		result = errno == EAGAIN ? 1 : -1;
	else
		(void)fcntl(fd, F_SETLEASE, F_UNLCK); /* close would do it as well */
	(void)close(fd);                              /* only read */
	return result;
}

/* One file's share in the answer of drop_due(). */
static int64_t file_due(struct router *router, int dir, const char *name, const struct stat *st)
{
	const struct conf_router *conf = &router->conf->router;
	int64_t grace_us = conf->association_grace_ms * 1000;

	int written = S_ISREG(st->st_mode) ? is_being_written(dir, name) : 0;

	if (written == 1)
		return spool_now_us() + (grace_us > WRITING_US ? grace_us : WRITING_US);
	if (ctime_us(st) > spool_now_us() + WRITING_US)
		return 0; /* the clock was set back: nobody knows, and waiting helps nobody */
	if (written == 0)
		return ctime_us(st) + grace_us;
	/* Of another user: quiet for as long as a series may be. */
	return ctime_us(st) + conf->series_timeout_ms * 1000;
}

/* One directory of the dropped tree; its directories go on the list. */
static int64_t dir_due(struct router *router, int base, const char *path, struct disk_names *list)
{
	int64_t due_us = 0, one_us;
	int dir = disk_open_dir(base, path);
	struct disk_names names;
	struct stat st;

	if (dir < 0 || disk_list(dir, ".", &names) < 0) {
		if (dir >= 0)
			(void)close(dir);
		return 0; /* not ours to read: drop_take() tells why */
	}
	for (size_t i = 0; i < names.count; i++) {
		struct buf below = { 0 };

		if (fstatat(dir, names.name[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		one_us = file_due(router, dir, names.name[i], &st);
		due_us = one_us > due_us ? one_us : due_us;
		if (!S_ISDIR(st.st_mode) || list->count >= DIRECTORIES_MAX)
			continue;
		buf_printf(&below, "%s/%s", path, names.name[i]);
		if (!below.failed)
			(void)disk_names_add(list, below.data); /* else it is read unasked */
		buf_free(&below);
	}
	disk_names_free(&names);
	(void)close(dir); /* only read */
	return due_us;
}

void drop_rest(struct router *router, const char *name)
{
	struct resting *resting = &router->resting[router->resting_next++ % RESTING_MAX];

	(void)snprintf(resting->name, sizeof(resting->name), "%s", name); /* NAME_MAX is 255 */
	resting->until_us = spool_now_us() + RETRY_US;
}

/* Until when the name is left alone, or 0. */
int64_t drop_rests_until(const struct router *router, const char *name)
{
	const struct resting *next = &router->resting[router->resting_next % RESTING_MAX];
	int64_t now_us = spool_now_us();

	for (size_t i = 0; i < RESTING_MAX; i++)
		if (router->resting[i].until_us > now_us &&
			router->resting[i].until_us <=
				now_us + RETRY_US && /* else: clock set back */
			strcmp(router->resting[i].name, name) == 0)
			return router->resting[i].until_us;
	return next->until_us > now_us && next->until_us <= now_us + RETRY_US ? next->until_us : 0;
}

int64_t drop_due(struct router *router, const char *name)
{
	int incoming = router->spool.dir[SPOOL_INCOMING];
	int64_t due_us = drop_rests_until(router, name), one_us;
	struct disk_names list = { 0 };
	struct stat st;

	if (due_us > 0)
		return due_us;
	if (fstatat(incoming, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	due_us = file_due(router, incoming, name, &st);
	if (S_ISDIR(st.st_mode) && disk_names_add(&list, name) == 0)
		for (size_t i = 0; i < list.count; i++) {
			one_us = dir_due(router, incoming, list.name[i], &list);
			due_us = one_us > due_us ? one_us : due_us;
		}
	disk_names_free(&list);
	return due_us;
}

/* Reads receiving/<a>/ in a process of its own, which outlives us: a stopped router interrupts
 * nothing. */
static void start_reading(struct router *router, const char *association)
{
	const char *argv[] = { router->association, "-c", router->conf->file, "-r", association,
		NULL };
	struct run run = RUN_DEFAULT;

	run.argv = argv;
	run.survive = 1;
	if (run_start(&run) >= 0) {
		router->readers++;
		return;
	}
	log_error("unable to start %s for receiving/%s: %s; it is tried again", router->association,
		association, strerror(errno));
	router->recover_us = spool_now_us() + RETRY_US;
}

static void unmake_association(struct router *router, int dir, const char *made)
{
	int saved = errno;

	/* What stays is removed by the next start. */
	(void)assoc_remove_files(dir);
	(void)unlinkat(router->spool.dir[SPOOL_RECEIVING], made, AT_REMOVEDIR);
	(void)close(dir); /* releases the lock */
	errno = saved;
}

/* receiving/<a>/ with its association.json, locked. Returns its descriptor or -1. */
static int make_association(struct router *router, const char *name, char *made, size_t size)
{
	int receiving = router->spool.dir[SPOOL_RECEIVING], dir;
	char stamp[SPOOL_STAMP_SIZE];
	struct assoc assoc = { .name = made,
		.time = stamp,
		.peer = "local",
		.calling_aet = "",
		.called_aet = "",
		.dropped = name_ok(name) ? name : "?" };

	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	(void)snprintf(made, size, "%s.%ld", stamp, (long)getpid());
	if (mkdirat(receiving, made, 0770) < 0)
		return -1;
	dir = disk_lock_dir(receiving, made, LOCK_EX);
	if (dir < 0)
		return -1;
	if (assoc_store(dir, &assoc) == 0)
		return dir;
	unmake_association(router, dir, made);
	return -1;
}

int drop_take(struct router *router, const char *name)
{
	const char *kept =
		name_ok(name) && !file_is_ours(FILE_IN_ASSOCIATION, name) ? name : "file";
	char association[128];
	int dir, result;

	dir = make_association(router, name, association, sizeof(association));
	if (dir < 0) {
		log_error("unable to make receiving/%s for incoming/%s: %s; it is tried again",
			association, name, strerror(errno));
		drop_rest(router, name);
		return -1;
	}
	result = disk_rename(router->spool.dir[SPOOL_INCOMING], name, dir, kept);
	if (result == 0) {
		log_info("dropped by hand name=%s association=%s", name, association);
		(void)close(dir); /* releases the lock for the reader */
		start_reading(router, association);
		return 0;
	}
	if (errno == ENOENT) { /* another router, or its owner, was first */
		result = 0;
	} else {
		log_error("unable to take incoming/%s: %s; the user who runs dcmspool must be able "
			  "to move it: chown it, or make it writable",
			name, strerror(errno));
		drop_rest(router, name);
	}
	unmake_association(router, dir, association);
	return result;
}

/* A directory whose lock is held is alive, and its receiver sees it end. Only of a dropped thing,
 * which an earlier router had read, does nobody see it: then a reader of ours waits for the lock.
 */
static bool is_orphan(int receiving, const char *name)
{
	int dir = disk_open_dir(receiving, name);
	json_t *association = dir < 0 ? NULL : assoc_load(dir);
	bool dropped = assoc_is_dropped(association);

	json_decref(association);
	if (dir >= 0)
		(void)close(dir); /* only read */
	return dropped;
}

void drop_recover(struct router *router)
{
	int receiving = router->spool.dir[SPOOL_RECEIVING], dir;
	struct disk_names names;

	if (disk_list(receiving, ".", &names) < 0) {
		log_error("unable to list receiving: %s; it is tried again", strerror(errno));
		router->recover_us = spool_now_us() + RETRY_US;
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (router->readers >= READERS_MAX) { /* the others when these have ended */
			router->recover_us = spool_now_us() + RETRY_US;
			break;
		}
		dir = disk_lock_dir(receiving, names.name[i], LOCK_EX | LOCK_NB);
		if (dir < 0 && !(!router->recovered_once && errno == EWOULDBLOCK &&
				       is_orphan(receiving, names.name[i])))
			continue;
		if (dir >= 0)
			(void)close(dir);
		start_reading(router, names.name[i]);
	}
	router->recovered_once = true;
	disk_names_free(&names);
}
