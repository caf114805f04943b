/*
 * dcmspool-release: ends what dcmspool-hold began: removes the file. dcmspool-release(8).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"
#include "cli/operator.h"
#include "spool/held.h"
#include "spool/journal.h"

/* Whoever releases one should know what else is held. */
static void tell_rest(const struct verb *verb)
{
	static const struct disk_names none = { 0 };

	operator_tell_all_held(verb, &none, "still held", "; end that with: dcmspool release");
}

/* The queue of a target that nobody configured may be held all the same. */
static bool has_queue(const struct verb *verb, const char *target)
{
	return name_ok(target) && disk_exists(verb->spool.dir[SPOOL_OUTGOING], target) == 1;
}

static int release_in(const struct verb *verb, int dir, const char *target, const char *name)
{
	bool was_held = unlinkat(dir, HELD_FILE, 0) == 0;

	if (!was_held && errno != ENOENT) {
		log_error("unable to remove the file held of %s: %s; it stays held; "
			  "mend the permissions of its directory",
			name, strerror(errno));
		return EXIT_TEMPORARY;
	}
	if (!was_held) {
		(void)printf("%s: not held\n", name);
		return 0;
	}
	journal_write(&verb->spool, "released", "target", target, "by", verb->by, NULL);
	(void)printf("%s: released\n", name);
	if (fsync(dir) == 0)
		return 0;
	log_error("unable to sync the directory of %s: %s; "
		  "it is released, but perhaps held again after a power failure",
		name, strerror(errno));
	return EXIT_TEMPORARY;
}

/* target: NULL for all. */
static int release(const struct verb *verb, const char *target)
{
	const char *name = held_name(target);
	int dir = held_open(&verb->spool, target), result = 0;

	if (dir >= 0) {
		result = release_in(verb, dir, target ? target : HELD_ALL, name);
		(void)close(dir); /* only used as a base */
	} else if (errno == ENOENT) {
		(void)printf("%s: not held\n", name); /* no dispatcher has made its queue yet */
	} else {
		log_error(
			"unable to open the directory of %s: %s; mend it with: dcmspool layout %s",
			name, strerror(errno), verb->spool.path);
		result = EXIT_TEMPORARY;
	}
	return result;
}

static void take_option(int letter, const char *argument)
{
	(void)letter, (void)argument; /* there is but one, without */
	operator_receiver();
}

int main(int argc, char *argv[])
{
	static const struct verb_kind kind = {
		.usage = "usage: dcmspool-release [-n] [-c FILE] TARGET|all ...\n"
			 "       dcmspool-release [-c FILE] -R|--receiver\n",
		.letters = "R",
		.option = take_option,
		.missing = "the target, or all, is missing",
		.on_target = release,
		.end = tell_rest,
		.knows = has_queue,
	};

	return operator_main(argc, argv, &kind);
}
