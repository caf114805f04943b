/*
 * What a person copies or moves into incoming/ becomes receiving/<a>/<name> by one rename, and is
 * then read by dcmspool-association -r exactly like what a broken connection left behind. A
 * directory has an <a> of its own; loose files share one, or each end of a reader would make the
 * router look at all files that are left.
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
static int make_association(struct router *router, const char *dropped, char made[ASSOC_NAME_SIZE])
{
	int receiving = router->spool.dir[SPOOL_RECEIVING], dir;
	char stamp[SPOOL_STAMP_SIZE];
	struct assoc assoc = { .name = made,
		.time = stamp,
		.peer = "local",
		.calling_aet = "",
		.called_aet = "",
		.dropped = dropped };

	spool_stamp(clock_now_us(), stamp, sizeof(stamp));
	(void)snprintf(made, ASSOC_NAME_SIZE, "%s.%ld", stamp, (long)getpid());
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

static int move_in(const struct router *router, const char *name, int to, const char *as)
{
	int incoming = router->spool.dir[SPOOL_INCOMING], thing;

	if (disk_rename_unique(incoming, name, to, as, NULL, 0) == 0)
		return 0;
	thing = errno == EACCES ? disk_open_dir(incoming, name) : -1;
	if (thing < 0)
		return -1;
	disk_let_write(thing);
	(void)close(thing); /* only a handle */
	return disk_rename_unique(incoming, name, to, as, NULL, 0);
}

/* Moves one thing in; number tells those apart whose names are not fit. Returns whether it is there
 * now. */
static bool take_one(struct router *router, const char *name, size_t number, int dir)
{
	bool fit = name_ok(name) && !file_is_ours(FILE_IN_ASSOCIATION, name);
	char file[32];

	(void)snprintf(file, sizeof(file), "file.%zu", number);
	if (move_in(router, name, dir, fit ? name : file) == 0)
		return true;
	if (errno == ENOENT)
		return false; /* another router, or its owner, was first */
	log_error(
		"unable to take incoming/%s: %s; "
		"the user who runs dcmspool must be able to move it: chown it, or make it writable",
		name, strerror(errno));
	rest(router, name);
	return false;
}

void drop_take(struct router *router, char *const *names, size_t count)
{
	char association[ASSOC_NAME_SIZE], dropped[ASSOC_NAME_SIZE];
	size_t taken = 0;
	int dir;

	if (count == 1)
		(void)snprintf(dropped, sizeof(dropped), "%s", name_ok(*names) ? *names : "?");
	else
		(void)snprintf(dropped, sizeof(dropped), "%zu files", count);
	dir = make_association(router, dropped, association);
	if (dir < 0) {
		log_error("unable to make receiving/%s for incoming/%s: %s; it is tried again",
			association, *names, strerror(errno));
		for (size_t i = 0; i < count; i++)
			rest(router, names[i]);
		return;
	}
	for (size_t i = 0; i < count; i++)
		taken += take_one(router, names[i], i + 1, dir);
	if (taken == 0) {
		unmake_association(router, dir, association);
		return;
	}
	log_info("dropped by hand name=%s association=%s", dropped, association);
	(void)close(dir); /* releases the lock for the reader */
	readers_start(router, association);
}
