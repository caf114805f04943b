/*
 * What a person copies or moves into incoming/ becomes receiving/<a>/<name> by one rename, and is
 * then read by dcmspool-association -r exactly like what a broken connection left behind.
 */
#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "spool/assoc.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void unmake_association(struct router *router, int dir, const char *made)
{
	int saved = errno;

	/* What stays is removed by the next start. */
	if (dir >= 0)
		(void)assoc_remove_files(dir);
	(void)unlinkat(router->spool.dir[SPOOL_RECEIVING], made, AT_REMOVEDIR);
	if (dir >= 0)
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

	spool_stamp(clock_now_us(), stamp, sizeof(stamp));
	(void)snprintf(made, size, "%s.%ld", stamp, (long)getpid());
	if (mkdirat(receiving, made, 0770) < 0)
		return -1;
	dir = disk_lock_dir(receiving, made, LOCK_EX);
	if (dir >= 0 && assoc_store(dir, &assoc) == 0)
		return dir;
	unmake_association(router, dir, made);
	return -1;
}

/* It could not be moved: left alone for a while, because each try removes a directory in
 * receiving/, and that wakes us. */
static void rest(struct router *router, const char *name)
{
	(void)rest_add(&router->rest, name, NULL); /* without memory it is tried at once again */
	look_again(router);
}

void drop_take(struct router *router, const char *name)
{
	const char *kept =
		name_ok(name) && !file_is_ours(FILE_IN_ASSOCIATION, name) ? name : "file";
	char association[128];
	int dir = make_association(router, name, association, sizeof(association));

	if (dir < 0) {
		log_error("unable to make receiving/%s for incoming/%s: %s; it is tried again",
			association, name, strerror(errno));
		rest(router, name);
		return;
	}
	if (disk_rename(router->spool.dir[SPOOL_INCOMING], name, dir, kept) == 0) {
		log_info("dropped by hand name=%s association=%s", name, association);
		(void)close(dir); /* releases the lock for the reader */
		readers_start(router, association);
		return;
	}
	if (errno != ENOENT) { /* else another router, or its owner, was first */
		log_error(
			"unable to take incoming/%s: %s; the user who runs dcmspool must be able to move it: chown it, or make it writable",
			name, strerror(errno));
		rest(router, name);
	}
	unmake_association(router, dir, association);
}
