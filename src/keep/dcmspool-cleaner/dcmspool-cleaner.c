/*
 * dcmspool-cleaner: deletes what has lain in success/ and discard/ for longer than the retention.
 * dcmspool-cleaner(8). error/ is never touched. Deleting is done in the off-peak hours only.
 *
 * A job arrived when its directory's ctime says: the rename that brought it. One rename commits the
 * deletion, success/<job> to success/.deleting.<job>; what a crash leaves under such a name is
 * deleted by the next scan. Nothing is scanned because something arrives: whatever arrives lives
 * longer than what is there, so an arrival matters only when no deadline is armed.
 */
#include "cli/options.h"
#include "conf/conf.h"
#include "base/disk.h"
#include "base/hours.h"
#include "spool/journal.h"
#include "base/log.h"
#include "base/loop.h"
#include "spool/spool.h"
#include "base/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

static const char usage[] = "usage: dcmspool-cleaner [-n] [-c FILE]\n";
static const char deleting[] = ".deleting.";

struct cleaner {
	const struct conf *conf;
	struct spool spool;
	int64_t now_us;  /* when this scan began */
	int64_t next_us; /* when the next job is to be deleted; 0: none is there */
};

static int64_t retention_us(const struct cleaner *cleaner)
{
	return (int64_t)cleaner->conf->cleaner.retention_s * 1000000;
}

/* Unlinks the files of a directory that is marked as being deleted, and the directory. */
static int delete_marked(int dir, const char *marked)
{
	struct disk_names names;
	int job = disk_open_dir(dir, marked), result;

	if (job < 0)
		return -1;
	result = disk_list(job, ".", &names);
	for (size_t i = 0; result == 0 && i < names.count; i++)
		result = disk_unlink(job, names.name[i]);
	disk_names_free(&names);
	(void)close(job); /* only used as a base */
	return result < 0 ? -1 : unlinkat(dir, marked, AT_REMOVEDIR);
}

/* A directory inside a job is nothing that dcmspool has put there. 1, 0, or -1 with errno. */
static int has_directory(int dir, const char *job)
{
	int fd = disk_open_dir(dir, job), result = 0;
	struct disk_names names;
	struct stat st;

	if (fd < 0)
		return -1;
	if (disk_list(fd, ".", &names) < 0)
		result = -1;
	for (size_t i = 0; i < names.count; i++)
		if (fstatat(fd, names.name[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISDIR(st.st_mode))
			result = 1;
	disk_names_free(&names);
	(void)close(fd); /* only used as a base */
	return result;
}

static int delete_job(struct cleaner *cleaner, enum spool_dir where, const char *job)
{
	int dir = cleaner->spool.dir[where];
	char marked[300];
	int n;

	n = snprintf(marked, sizeof(marked), "%s%s", deleting, job);
	if (n < 0 || (size_t)n >= sizeof(marked)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	n = has_directory(dir, job);
	if (n > 0)
		errno = ENOTEMPTY;
	if (n != 0)
		return n < 0 && errno == ENOENT ? 0 : -1;
	if (disk_rename(dir, job, dir, marked) < 0)
		return errno == ENOENT ? 0 : -1; /* moved away by hand just now */
	if (delete_marked(dir, marked) < 0)
		return -1;
	log_info("deleted after its retention %s/%s", spool_name(where), job);
	journal_write(&cleaner->spool, "deleted", "job", job, "from", spool_name(where), NULL);
	return 0;
}

static int look_at(struct cleaner *cleaner, enum spool_dir where, const char *name)
{
	int64_t expires_us;
	struct stat st;

	if (fstatat(cleaner->spool.dir[where], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISDIR(st.st_mode))
		return 0; /* nothing that dcmspool has put there */
	if (strncmp(name, deleting, strlen(deleting)) == 0)
		return delete_marked(cleaner->spool.dir[where], name);
	expires_us = (int64_t)st.st_ctim.tv_sec * 1000000 + st.st_ctim.tv_nsec / 1000 +
		     retention_us(cleaner);
	if (expires_us < cleaner->now_us)
		expires_us = cleaner->now_us;
	expires_us = hours_next_us(cleaner->conf->cleaner.offpeak, expires_us);
	if (expires_us <= cleaner->now_us)
		return delete_job(cleaner, where, name);
	if (cleaner->next_us == 0 || expires_us < cleaner->next_us)
		cleaner->next_us = expires_us;
	return 0;
}

static void scan_dir(struct cleaner *cleaner, enum spool_dir where)
{
	struct disk_names names;

	if (disk_list(cleaner->spool.dir[where], ".", &names) < 0) {
		log_error("unable to list %s: %s", spool_name(where), strerror(errno));
		return;
	}
	for (size_t i = 0; i < names.count; i++)
		if (look_at(cleaner, where, names.name[i]) < 0)
			log_error("unable to delete %s/%s: %s; delete it by hand",
				spool_name(where), names.name[i], strerror(errno));
	disk_names_free(&names);
}

static void scan(struct cleaner *cleaner)
{
	const enum spool_dir cleaned[] = { SPOOL_SUCCESS, SPOOL_DISCARD };
	char path[32];

	cleaner->next_us = 0;
	cleaner->now_us = spool_now_us();
	watch_begin();
	for (size_t i = 0; i < sizeof(cleaned) / sizeof(cleaned[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/", spool_name(cleaned[i]));
		if (watch_keep(path, IN_MOVED_TO | IN_CREATE) < 0)
			die(EXIT_TEMPORARY, "unable to watch %s: %s", path, strerror(errno));
	}
	for (size_t i = 0; i < sizeof(cleaned) / sizeof(cleaned[0]); i++)
		scan_dir(cleaner, cleaned[i]);
	watch_end();
}

int main(int argc, char *argv[])
{
	static struct cleaner cleaner; /* for the life of the process */
	unsigned int woken;
	struct loop loop;

	log_open(argv[0]);
	cleaner.conf = cli_options(argc, argv, "", NULL, usage);
	spool_open(&cleaner.spool, cleaner.conf->spool);
	loop_open(&loop);
	log_info("ready spool=%s", cleaner.spool.path);
	scan(&cleaner);
	while (!loop.stopping) {
		/* With a deadline armed, an arrival is no news: it is not even looked at. */
		woken = loop_wait(&loop, cleaner.next_us, cleaner.next_us == 0);
		if (woken & LOOP_DUE)
			scan(&cleaner);
		else if (woken & LOOP_TREE)
			cleaner.next_us = spool_now_us() + retention_us(&cleaner);
	}
	log_info("stopped");
	return 0;
}
