/*
 * dcmspool-hold: nothing more is sent to a target, or to any, until it is released.
 * dcmspool-hold(8).
 *
 * The file is made first and exclusively: from that instant the target is held, and the first who
 * holds it is the one who stands in it. Its text follows; a full disk or a crash leaves a target
 * that is held without a reason, as `touch` would.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "spool/held.h"
#include "spool/journal.h"
#include "base/log.h"
#include "cli/options.h"
#include "cli/operator.h"

static const char usage[] = "usage: dcmspool-hold [-n] [-c FILE] [-r REASON] TARGET|all ...\n";

enum { REASON_MAX = 500, USER_SIZE = 64, FILE_MODE = 0660 };

static char reason[REASON_MAX + 1];

static void take_option(int letter, const char *argument)
{
	(void)letter; /* there is but one */
	if (strlen(argument) > REASON_MAX)
		die(EXIT_PERMANENT, "the reason is too long; use at most %d bytes", REASON_MAX);
	(void)snprintf(reason, sizeof(reason), "%s", argument);
	for (char *c = reason; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' '; /* one line */
}

/* Who, since when and why, so that it is there after a power failure. */
static int write_text(int fd, const char *by)
{
	char stamp[SPOOL_STAMP_SIZE];
	struct buf text = { 0 };
	int result;

	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	buf_printf(&text, "since %s by %s%s%s\n", stamp, by, *reason ? ": " : "", reason);
	if (text.failed)
		errno = ENOMEM;
	result = text.failed ? -1 : disk_write_all(fd, text.data, text.length);
	if (result == 0)
		result = fsync(fd);
	buf_free(&text);
	return result;
}

static void tell(const struct spool *spool, const char *target)
{
	struct disk_names running = { 0 };
	size_t count = 0;

	if (target && disk_list(spool->dir[SPOOL_SENDING], target, &running) == 0)
		count = running.count;
	disk_names_free(&running);
	(void)printf("%s: held", target ? target : HELD_ALL);
	if (count > 0)
		(void)printf("; what is being sent is finished: %zu", count);
	(void)putchar('\n'); /* operator_close() sees a failure to write */
}

static int tell_already(int dir, const char *name)
{
	struct buf text = { 0 };

	held_tell(dir, &text);
	(void)printf("%s: held already%s\n", name, text.data ? text.data : "");
	buf_free(&text);
	return 0;
}

/* target: NULL for all. */
static int hold_in(const struct spool *spool, int dir, const char *target, const char *path)
{
	const char *name = target ? target : HELD_ALL, *why = *reason ? reason : NULL;
	char by[USER_SIZE];
	int fd = openat(
		dir, HELD_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	if (fd < 0 && errno == EEXIST)
		return tell_already(dir, name);
	if (fd < 0) {
		log_error("unable to make %s: %s; nothing is held; make room, or mend the "
			  "permissions",
			path, strerror(errno));
		return EXIT_TEMPORARY;
	}
	operator_name(by, sizeof(by));
	if (write_text(fd, by) < 0)
		log_warning("unable to write into %s since when and why: %s; it is held all the "
			    "same",
			path, strerror(errno));
	(void)close(fd); /* synced, or reported */
	journal_write(spool, "held", "target", name, "by", by, "reason", why, NULL);
	tell(spool, target);
	if (fsync(dir) == 0)
		return 0;
	log_error("unable to sync the directory of %s: %s; it is held, but perhaps no longer after "
		  "a power failure",
		path, strerror(errno));
	return EXIT_TEMPORARY;
}

static int hold(const struct spool *spool, const char *target)
{
	struct buf path = { 0 };
	int dir = -1, result = EXIT_TEMPORARY;

	buf_printf(&path, "outgoing/%s%s" HELD_FILE, target ? target : "", target ? "/" : "");
	if (path.failed)
		die(EXIT_TEMPORARY, "out of memory");
	/* A target that is new in the configuration has no queue until a dispatcher starts. */
	if (!target || disk_make_dir(spool->dir[SPOOL_OUTGOING], target) == 0)
		dir = held_open(spool, target);
	if (dir >= 0)
		result = hold_in(spool, dir, target, path.data);
	else
		log_error("unable to open the directory of %s: %s; make room, or mend it with: "
			  "dcmspool layout %s",
			path.data, strerror(errno), spool->path);
	if (dir >= 0)
		(void)close(dir); /* only used as a base */
	buf_free(&path);
	return result;
}

int main(int argc, char *argv[])
{
	struct conf *conf;
	static struct spool spool; /* for the life of the process */
	int code = 0;

	log_open(argv[0]);
	conf = cli_options(argc, argv, "r:", take_option, usage);
	operator_needs(argc - optind, "the target, or all, is missing", usage);
	for (int i = optind; i < argc; i++)
		if (strcmp(argv[i], HELD_ALL) != 0 && !conf_target(conf, argv[i]))
			code = operator_no_target(conf, argv[i]);
	if (code == 0)
		operator_open(&spool, conf);
	for (int i = optind; i < argc && code != EXIT_PERMANENT; i++) { /* all or nothing */
		int result = hold(&spool, strcmp(argv[i], HELD_ALL) == 0 ? NULL : argv[i]);

		code = result > code ? result : code;
	}
	conf_free(conf);
	return operator_close(code);
}
