/*
 * dcmspool-hold: nothing more is sent to a target, or to any, or received, until it is released.
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

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "cli/operator.h"
#include "spool/held.h"
#include "spool/journal.h"

enum { REASON_MAX = 500, FILE_MODE = 0660 };

static char reason[REASON_MAX + 1];

static void take_option(int letter, const char *argument)
{
	if (letter == 'R') {
		operator_receiver();
		return;
	}
	if (strlen(argument) > REASON_MAX)
		die(EXIT_PERMANENT, "the reason is too long; use at most %d bytes", REASON_MAX);
	(void)snprintf(reason, sizeof(reason), "%s", argument);
	text_clean(reason);
}

/* Who, since when and why, so that it is there after a power failure. */
static int write_text(int fd, const char *by)
{
	char stamp[SPOOL_STAMP_SIZE];
	struct buf text = { 0 };
	int result;

	spool_stamp(clock_now_us(), stamp, sizeof(stamp));
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
	(void)printf("%s: held", held_name(target));
	if (count > 0)
		(void)printf("; what is being sent is finished: %zu", count);
	(void)putchar('\n'); /* operator_main() sees a failure to write */
}

/* target: NULL for all. */
static int hold_in(const struct verb *verb, int dir, const char *target, const char *path)
{
	const char *name = target ? target : HELD_ALL, *why = *reason ? reason : NULL;
	int fd = openat(
		dir, HELD_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	if (fd < 0 && errno == EEXIST) {
		operator_tell_held(verb, target, "held already", NULL);
		return 0;
	}
	if (fd < 0) {
		log_error("unable to make %s: %s; nothing is held; "
			  "make room, or mend the permissions",
			path, strerror(errno));
		return EXIT_TEMPORARY;
	}
	if (write_text(fd, verb->by) < 0)
		log_warning(
			"unable to write into %s since when and why: %s; it is held all the same",
			path, strerror(errno));
	(void)close(fd); /* synced, or reported */
	journal_write(&verb->spool, "held", "target", name, "by", verb->by, "reason", why, NULL);
	tell(&verb->spool, target);
	if (fsync(dir) == 0)
		return 0;
	log_error("unable to sync the directory of %s: %s; "
		  "it is held, but perhaps no longer after a power failure",
		path, strerror(errno));
	return EXIT_TEMPORARY;
}

/* What this call was about. */
static struct disk_names named;

static int hold(const struct verb *verb, const char *target)
{
	const bool receiver = target && strcmp(target, HELD_RECEIVER) == 0;
	struct buf path = { 0 };
	int dir = -1, result = EXIT_TEMPORARY;

	if (receiver)
		buf_puts(&path, "receiving/" HELD_FILE);
	else
		buf_printf(
			&path, "outgoing/%s%s" HELD_FILE, target ? target : "", target ? "/" : "");
	if (path.failed || disk_names_add(&named, target ? target : HELD_ALL) < 0)
		die(EXIT_TEMPORARY, "out of memory");
	/* A target that is new in the configuration has no queue until a dispatcher starts. */
	if (!target || receiver || disk_make_dir(verb->spool.dir[SPOOL_OUTGOING], target) == 0)
		dir = held_open(&verb->spool, target);
	if (dir >= 0)
		result = hold_in(verb, dir, target, path.data);
	else
		log_error("unable to open the directory of %s: %s; "
			  "make room, or mend it with: dcmspool layout %s",
			path.data, strerror(errno), verb->spool.path);
	if (dir >= 0)
		(void)close(dir); /* only used as a base */
	buf_free(&path);
	return result;
}

static void tell_others(const struct verb *verb)
{
	operator_tell_all_held(verb, &named, "held as well", NULL);
	disk_names_free(&named);
}

int main(int argc, char *argv[])
{
	static const struct verb_kind kind = {
		.usage = "usage: dcmspool-hold [-n] [-c FILE] [-r REASON] TARGET|all ...\n"
			 "       dcmspool-hold [-c FILE] [-r REASON] -R|--receiver\n",
		.missing = "the target, or all, is missing",
		.letters = "r:R",
		.option = take_option,
		.on_target = hold,
		.end = tell_others,
	};

	return operator_main(argc, argv, &kind);
}
