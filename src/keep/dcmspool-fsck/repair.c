#include "repair.h"

#include "base/disk.h"
#include "base/log.h"
#include "base/run.h"
#include "spool/ended.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void say(bool quiet, const char *in, const char *name, const char *what)
{
	if (!quiet)
		(void)printf("repaired: %s/%s: %s\n", in, name, what);
}

/* Are all its processes dead? Whoever recovers it looks again, with the lock in his hands. 1; 0:
 * one lives, it has ended, or it is no association; -1 with errno. */
static int is_dead(const struct spool *spool, const char *name)
{
	int fd = disk_lock_dir(spool->dir[SPOOL_RECEIVING], name, LOCK_EX | LOCK_NB);

	if (fd >= 0)
		(void)close(fd); /* releases the lock */
	if (fd < 0 && errno != EWOULDBLOCK && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		return -1;
	return fd >= 0;
}

/* By the program that does it for receiver and router. */
static int recover(const struct conf *conf, const char *name)
{
	char *program = run_beside("dcmspool-association");
	const char *argv[] = { program, "-c", conf->file, "-r", name, NULL };
	struct run run = RUN_DEFAULT;
	int status = -1;
	pid_t pid;

	run.argv = argv;
	pid = program ? run_start(&run) : -1;
	if (pid >= 0)
		status = run_wait(pid);
	free(program);
	return status;
}

static size_t recover_all(
	const struct spool *spool, const struct conf *conf, bool quiet, bool *failed)
{
	struct disk_names names;
	size_t done = 0;

	if (disk_list(spool->dir[SPOOL_RECEIVING], ".", &names) < 0) {
		log_error("unable to list receiving: %s; try again", strerror(errno));
		*failed = true;
		return 0;
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.name[i];
		int dead = is_dead(spool, name);

		if (dead < 0) {
			log_error("unable to look at receiving/%s: %s; try again", name,
				strerror(errno));
			*failed = true;
		}
		if (dead <= 0)
			continue;
		if (recover(conf, name) == 0) {
			say(quiet, "receiving", name, "its images were filed, it has ended");
			done++;
		} else {
			log_error("unable to recover receiving/%s: what was wrong stands above; "
				  "mend it, then try again",
				name);
			*failed = true;
		}
	}
	disk_names_free(&names);
	return done;
}

static size_t tell_all(const struct spool *spool, enum spool_dir where, bool quiet, bool *failed)
{
	struct disk_names names;
	size_t done = 0;

	if (disk_list(spool->dir[where], ".", &names) < 0) {
		log_error("unable to list %s: %s; try again", spool_name(where), strerror(errno));
		*failed = true;
		return 0;
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.name[i];
		int told = *name == '.' ? 0 : ended_tell_at_rest(spool, where, name);

		done += told > 0;
		if (told > 0)
			say(quiet, spool_name(where), name, "the journal was told once more");
		*failed |= told < 0;
	}
	disk_names_free(&names);
	return done;
}

size_t repair(const struct spool *spool, const struct conf *conf, bool quiet, bool *failed)
{
	size_t done = recover_all(spool, conf, quiet, failed);

	for (int i = 0; i < SPOOL_DIRS; i++)
		if (spool_stage[i].holds == STAGE_ENDED)
			done += tell_all(spool, (enum spool_dir)i, quiet, failed);
	return done;
}
