/*
 * dcmspool-release: ends what dcmspool-hold began: removes the file. dcmspool-release(8).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "spool/held.h"
#include "spool/journal.h"
#include "base/log.h"
#include "cli/options.h"
#include "cli/operator.h"

static const char usage[] = "usage: dcmspool-release [-n] [-c FILE] TARGET|all ...\n";

enum { USER_SIZE = 64 };

/* Says so when a target, NULL for all, is held. */
static void tell_held(const struct spool *spool, const char *target)
{
	const char *name = target ? target : HELD_ALL;
	int dir = held_open(spool, target);
	struct buf text = { 0 };

	if (dir < 0)
		return; /* it has no queue: nothing waits */
	if (held_is(dir)) {
		held_tell(dir, &text);
		(void)printf("%s: still held%s; end that with: dcmspool release %s\n", name,
			text.data ? text.data : "", name);
	}
	buf_free(&text);
	(void)close(dir); /* only used as a base */
}

/* Whoever releases one target should know that all are held, and the other way round. */
static void tell_rest(const struct spool *spool, const struct conf *conf, const char *target)
{
	if (target) {
		tell_held(spool, NULL);
		return;
	}
	for (size_t i = 0; i < conf->target_count; i++)
		tell_held(spool, conf->target[i].name);
}

/* The queue of a target that nobody configured may be held all the same. */
static bool is_known(const struct spool *spool, const struct conf *conf, const char *target)
{
	return conf_target(conf, target) ||
	       (name_ok(target) && disk_exists(spool->dir[SPOOL_OUTGOING], target) == 1);
}

static int release_in(const struct spool *spool, int dir, const char *name)
{
	char by[USER_SIZE];
	bool was_held = unlinkat(dir, HELD_FILE, 0) == 0;

	if (!was_held && errno != ENOENT) {
		log_error("unable to remove the file held of %s: %s; it stays held; mend "
			  "the permissions of its directory",
			name, strerror(errno));
		return EXIT_TEMPORARY;
	}
	if (!was_held) {
		(void)printf("%s: not held\n", name);
		return 0;
	}
	operator_name(by, sizeof(by));
	journal_write(spool, "released", "target", name, "by", by, NULL);
	(void)printf("%s: released\n", name);
	if (fsync(dir) == 0)
		return 0;
	log_error("unable to sync the directory of %s: %s; it is released, but perhaps held again "
		  "after a power failure",
		name, strerror(errno));
	return EXIT_TEMPORARY;
}

/* target: NULL for all. */
static int release(const struct spool *spool, const struct conf *conf, const char *target)
{
	const char *name = target ? target : HELD_ALL;
	int dir = held_open(spool, target), result = 0;

	if (dir >= 0) {
		result = release_in(spool, dir, name);
		(void)close(dir); /* only used as a base */
	} else if (errno == ENOENT) {
		(void)printf("%s: not held\n", name); /* no dispatcher has made its queue yet */
	} else {
		log_error("unable to open the directory of %s: %s; mend it with: dcmspool layout "
			  "%s",
			name, strerror(errno), spool->path);
		result = EXIT_TEMPORARY;
	}
	tell_rest(spool, conf, target);
	return result;
}

int main(int argc, char *argv[])
{
	struct conf *conf;
	static struct spool spool; /* for the life of the process */
	int code = 0;

	log_open(argv[0]);
	conf = cli_options(argc, argv, "", NULL, usage);
	operator_needs(argc - optind, "the target, or all, is missing", usage);
	operator_open(&spool, conf);
	for (int i = optind; i < argc; i++)
		if (strcmp(argv[i], HELD_ALL) != 0 && !is_known(&spool, conf, argv[i]))
			code = operator_no_target(conf, argv[i]);
	for (int i = optind; i < argc && code != EXIT_PERMANENT; i++) { /* all or nothing */
		int result = release(&spool, conf, strcmp(argv[i], HELD_ALL) == 0 ? NULL : argv[i]);

		code = result > code ? result : code;
	}
	conf_free(conf);
	return operator_close(code);
}
