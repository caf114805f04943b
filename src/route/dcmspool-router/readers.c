/*
 * The processes that read what was dropped by hand, and what an earlier router of ours has left
 * unread: dcmspool-association -r receiving/<a>. They outlive us: a stopped router interrupts
 * nothing.
 */
#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/run.h"
#include "spool/assoc.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READERS_MAX = 4 };

bool readers_are_busy(const struct router *router)
{
	return router->readers >= READERS_MAX;
}

void readers_start(struct router *router, const char *association)
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
	router->recover_us = clock_now_us() + RETRY_US;
}

/* A directory whose lock is held is alive, and its receiver sees it end. Only of a dropped thing,
 * which an earlier router had read, does nobody see it: then a reader of ours waits for the lock.
 * 1, 0, or -1: not to be known now. */
static int is_orphan(int receiving, const char *name)
{
	int dir = disk_open_dir(receiving, name), result;
	json_t *association;

	if (dir < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
	association = assoc_load(dir);
	result = association || errno == ENOENT || errno == EINVAL ? assoc_is_dropped(association)
								   : -1;
	json_decref(association);
	(void)close(dir); /* only read */
	return result;
}

/* Has its reader died, or will nobody see it end? 1, 0, or -1: not to be known now. */
static int is_left(const struct router *router, const char *name)
{
	int receiving = router->spool.dir[SPOOL_RECEIVING];
	int dir = disk_lock_dir(receiving, name, LOCK_EX | LOCK_NB);

	if (dir >= 0) {
		(void)close(dir); /* its reader takes the lock itself */
		return 1;
	}
	if (errno == EWOULDBLOCK)
		return router->recovered_once ? 0 : is_orphan(receiving, name);
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
}

void readers_recover(struct router *router)
{
	struct disk_names names;
	bool all = true;
	int left;

	if (disk_list(router->spool.dir[SPOOL_RECEIVING], ".", &names) < 0) {
		log_error("unable to list receiving: %s; it is tried again", strerror(errno));
		router->recover_us = clock_now_us() + RETRY_US;
		return;
	}
	for (size_t i = 0; i < names.count && all; i++) {
		all = !readers_are_busy(router); /* the others when these have ended */
		left = all ? is_left(router, names.name[i]) : 0;
		if (left < 0)
			log_error("unable to look at receiving/%s: %s; it is tried again",
				names.name[i], strerror(errno));
		all = all && left >= 0;
		if (left > 0)
			readers_start(router, names.name[i]);
	}
	if (!all)
		router->recover_us = clock_now_us() + RETRY_US;
	router->recovered_once |= all;
	disk_names_free(&names);
}

/* One that failed, or was killed, has left its directory: it is read again, after a while when the
 * reason may be a full disk. */
void readers_reap(struct router *router)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		router->readers -= router->readers > 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			continue;
		log_warning(
			"reading what was dropped failed, it is tried again pid=%ld", (long)pid);
		router->recover_us = clock_now_us() + (WIFEXITED(status) ? RETRY_US : 0);
	}
}
