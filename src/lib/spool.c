#define _GNU_SOURCE /* timegm */
#include "spool.h"

#include "disk.h"
#include "log.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const names[SPOOL_DIRS] = {
	[SPOOL_ROOT] = ".",
	[SPOOL_RECEIVING] = "receiving",
	[SPOOL_INCOMING] = "incoming",
	[SPOOL_ROUTING] = "routing",
	[SPOOL_OUTGOING] = "outgoing",
	[SPOOL_SENDING] = "sending",
	[SPOOL_SUCCESS] = "success",
	[SPOOL_DISCARD] = "discard",
	[SPOOL_ERROR] = "error",
	[SPOOL_JOURNAL] = "journal",
};

const char *spool_name(enum spool_dir dir)
{
	return names[dir];
}

void spool_open(struct spool *spool, const char *path)
{
	struct stat root, st;

	if (chdir(path) < 0)
		die(EXIT_PERMANENT,
			"unable to enter the spool %s: %s; make it with: dcmspool layout %s", path,
			strerror(errno), path);
	spool->path = realpath(".", NULL);
	if (!spool->path || stat(".", &root) < 0)
		die(EXIT_TEMPORARY, "unable to look at the spool %s: %s", path, strerror(errno));
	for (int i = 0; i < SPOOL_DIRS; i++) {
		spool->dir[i] = open(names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (spool->dir[i] < 0 || fstat(spool->dir[i], &st) < 0)
			die(EXIT_PERMANENT,
				"unable to open the spool's directory %s/%s: %s; mend it with: "
				"dcmspool layout %s",
				spool->path, names[i], strerror(errno), spool->path);
		if (st.st_dev != root.st_dev)
			die(EXIT_PERMANENT,
				"the spool's directory %s/%s is another file system; the spool "
				"must be "
				"one, because every step is a rename",
				spool->path, names[i]);
	}
}

int64_t spool_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void spool_stamp(int64_t time_us, char *out, size_t size)
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;
	size_t n;

	(void)gmtime_r(&seconds, &tm); /* cannot fail before the year 2^31 */
	n = strftime(out, size, "%Y%m%dT%H%M%S", &tm);
	(void)snprintf(out + n, size - n, ".%06dZ", (int)(time_us % 1000000));
}

int64_t spool_stamp_time(const char *text)
{
	int micro, end = 0;
	struct tm tm = { 0 };

	if (sscanf(text, "%4d%2d%2dT%2d%2d%2d.%6dZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		    &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &micro, &end) != 7 ||
		end != (int)strlen("20261122T140301.123456Z"))
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) * 1000000 + micro;
}

bool spool_is_image(const char *name)
{
	size_t length = strlen(name);

	return name_ok(name) && length > 4 && strcmp(name + length - 4, ".dcm") == 0;
}

/* A name for the thing in its error directory: its own, or "file" when that is not fit to be shown. */
static const char *fit_name(const char *name)
{
	return name_ok(name) ? name : "file";
}

int spool_quarantine(
	const struct spool *spool, int dir, const char *name, const char *label, const char *reason)
{
	int error = spool->dir[SPOOL_ERROR], fd = -1, result = -1, saved;
	struct buf line = { 0 };

	buf_printf(&line, "%s: %s\n", fit_name(name), reason);
	if (line.failed) {
		errno = ENOMEM;
		goto out;
	}
	if (disk_make_dir(error, label) < 0)
		goto out;
	fd = disk_open_dir(error, label);
	if (fd < 0)
		goto out;
	/* The reason first: a line too much explains nothing wrong, a thing without a reason would. */
	if (disk_append(fd, "reason.txt", line.data, line.length) < 0)
		goto out;
	if (disk_rename_unique(dir, name, fd, fit_name(name), NULL, 0) < 0)
		goto out;
	result = fsync(fd);
out:
	saved = errno;
	if (fd >= 0)
		(void)close(fd); /* only used as a base */
	buf_free(&line);
	errno = saved;
	return result;
}
