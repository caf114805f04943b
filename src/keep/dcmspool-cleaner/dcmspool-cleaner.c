/*
 * dcmspool-cleaner: deletes what has lain in success/ and discard/, the stages whose jobs expire
 * (stage.h), for longer than the retention. dcmspool-cleaner(8). error/ is never touched. Deleting
 * is done in the off-peak hours only.
 *
 * A job arrived when its directory's ctime says: the rename that brought it. One rename commits the
 * deletion, success/<job> to success/.deleting.<job>; what a crash leaves under such a name is
 * deleted by the next scan. Its images go first, then the journal gets what became of the job
 * (spool/ended.h) and that it was deleted, then job.json goes, of which these lines are made: on a
 * full disk the lines wait. Nothing is scanned because something arrives: whatever arrives lives
 * longer than what is there, so an arrival matters only when no deadline is armed.
 */
#include "base/clock.h"
#include "base/disk.h"
#include "base/hours.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/rest.h"
#include "base/service.h"
#include "base/watch.h"
#include "cli/options.h"
#include "cli/watcher.h"
#include "conf/conf.h"
#include "spool/ended.h"
#include "spool/file.h"
#include "spool/journal.h"
#include "spool/spool.h"

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
	struct loop loop;
	int64_t now_us;   /* when this scan began */
	struct rest rest; /* what could not be deleted: it may never be */
};

/* How long something that failed is left alone; no longer than the retention. */
enum { RETRY_S = 600 };

static int64_t retention_us(const struct cleaner *cleaner)
{
	return (int64_t)cleaner->conf->cleaner.retention_s * 1000000;
}

/* Neither an image nor what the lines in the journal are made of. */
static bool is_other(const char *name)
{
	return !file_is_image(name) && strcmp(name, file_name(FILE_JOB)) != 0 &&
	       strcmp(name, file_name(FILE_TOLD)) != 0;
}

static int unlink_those(int job, bool (*are)(const char *name))
{
	struct disk_names names;
	int result = disk_list(job, ".", &names);

	for (size_t i = 0; result == 0 && i < names.count; i++)
		if (are(names.name[i]))
			result = disk_unlink(job, names.name[i]);
	disk_names_free(&names);
	return result;
}

/* Empties a job's directory: first the images, so that there is room for its lines in the journal;
 * .told last, or what is left after a crash would be told again. */
static int empty(const struct spool *spool, const struct ended *ended, int job)
{
	if (unlink_those(job, file_is_image) < 0 || ended_tell(spool, ended, job) < 0 ||
		unlink_those(job, is_other) < 0 || ended_deleted(spool, ended) < 0 ||
		journal_sync(spool) < 0 || file_remove(job, FILE_JOB) < 0)
		return -1;
	return file_remove(job, FILE_TOLD);
}

/* Deletes a directory that is marked as being deleted, and tells it. */
static int delete_marked(struct cleaner *cleaner, enum spool_dir where, const char *marked)
{
	int dir = cleaner->spool.dir[where], result = -1, saved;
	int job = disk_lock_dir(dir, marked, LOCK_EX | LOCK_NB);
	struct ended ended;

	if (job < 0) /* another cleaner is at it */
		return errno == EWOULDBLOCK || errno == ENOENT ? 0 : -1;
	if (ended_load(&ended, job, where, marked + strlen(deleting)) == 0) {
		if (empty(&cleaner->spool, &ended, job) == 0)
			result = unlinkat(dir, marked, AT_REMOVEDIR);
		saved = errno;
		if (result == 0)
			log_info("deleted after its retention %s/%s", ended.from,
				marked + strlen(deleting));
		ended_free(&ended);
		errno = saved;
	}
	saved = errno;
	(void)close(job); /* releases the lock */
	errno = saved;
	return result;
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
	return delete_marked(cleaner, where, marked);
}

/* The first moment from then and from now on at which something may be deleted. */
static int64_t within_hours(const struct cleaner *cleaner, int64_t time_us)
{
	return hours_next_us(cleaner->conf->cleaner.offpeak,
		time_us < cleaner->now_us ? cleaner->now_us : time_us);
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
		return delete_marked(cleaner, where, name);
	expires_us = within_hours(cleaner, clock_ctime_us(&st) + retention_us(cleaner));
	if (expires_us <= cleaner->now_us)
		return delete_job(cleaner, where, name);
	loop_at(&cleaner->loop, expires_us);
	return 0;
}

static void try_again(struct cleaner *cleaner)
{
	loop_at(&cleaner->loop,
		within_hours(cleaner, cleaner->now_us + cleaner->rest.length_ms * 1000));
}

static void scan_dir(struct cleaner *cleaner, enum spool_dir where)
{
	const char *in = spool_name(where);
	struct disk_names names;

	if (disk_list(cleaner->spool.dir[where], ".", &names) < 0) {
		log_error("unable to list %s: %s; it is tried again", in, strerror(errno));
		try_again(cleaner);
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.name[i];
		int64_t rests_us = rest_until(&cleaner->rest, name, in);

		if (rests_us > 0) {
			loop_at(&cleaner->loop, within_hours(cleaner, rests_us));
		} else if (look_at(cleaner, where, name) < 0) {
			log_error("unable to delete %s/%s: %s; mend that or delete it by hand; "
				  "it is tried again",
				in, name, strerror(errno));
			(void)rest_add(
				&cleaner->rest, name, in); /* else it is tried by each scan */
			try_again(cleaner);
		}
	}
	disk_names_free(&names);
}

static void scan(struct cleaner *cleaner)
{
	char path[32];

	loop_forget(&cleaner->loop);
	cleaner->now_us = clock_now_us();
	watch_begin();
	for (int i = 0; i < SPOOL_DIRS; i++) {
		if (!spool_stage[i].expires)
			continue;
		(void)snprintf(path, sizeof(path), "%s/", spool_stage[i].name);
		if (watch_keep(path, IN_MOVED_TO | IN_CREATE) < 0)
			die(EXIT_TEMPORARY, "unable to watch %s: %s", path, strerror(errno));
	}
	for (int i = 0; i < SPOOL_DIRS; i++)
		if (spool_stage[i].expires)
			scan_dir(cleaner, (enum spool_dir)i);
	watch_end();
}

/* Sleeps until something is to be deleted. With a deadline armed, an arrival is no news: it is not
 * even looked at. */
static void wait(struct cleaner *cleaner)
{
	struct loop *loop = &cleaner->loop;
	bool due = false;

	while (loop_goes_on(loop) && !due) {
		if (loop->next_us != 0)
			due = loop_poll(loop, loop->next_us, NULL, 0);
		else if (watch_wait(loop, 0, NULL))
			loop_at(loop, clock_now_us() + retention_us(cleaner));
	}
}

int main(int argc, char *argv[])
{
	static struct cleaner cleaner; /* for the life of the process */
	long retention_s;

	log_open(argv[0]);
	service_open(argv);
	cleaner.conf = cli_options(argc, argv, "", NULL, usage);
	retention_s = cleaner.conf->cleaner.retention_s;
	cleaner.rest.length_ms = (retention_s < RETRY_S ? retention_s : RETRY_S) * INT64_C(1000);
	spool_open(&cleaner.spool, cleaner.conf->spool);
	loop_open(&cleaner.loop);
	watcher_ready(cleaner.conf);
	while (loop_goes_on(&cleaner.loop)) {
		scan(&cleaner);
		wait(&cleaner);
	}
	return watcher_end(&cleaner.loop);
}
