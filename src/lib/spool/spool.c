#define _GNU_SOURCE /* timegm */
#include "spool/spool.h"

#include "base/disk.h"
#include "base/log.h"
#include "base/str.h"

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

/* Reads n digits; more than 999999 when there are fewer. */
static int digits(const char *text, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 1000000;
		value = value * 10 + text[i] - '0';
	}
	return value;
}

/* By hand: of each name in a long queue the time is asked at each look. */
int64_t spool_stamp_time(const char *text)
{
	static const char form[] = "20261122T140301.123456Z";
	size_t length = strnlen(text, sizeof(form) - 1);
	int year, month, day, hour, minute, second, micro;
	int64_t days;

	if (length < sizeof(form) - 1 || text[8] != 'T' || text[15] != '.' || text[22] != 'Z')
		return -1;
	year = digits(text, 4);
	month = digits(text + 4, 2);
	day = digits(text + 6, 2);
	hour = digits(text + 9, 2);
	minute = digits(text + 11, 2);
	second = digits(text + 13, 2);
	micro = digits(text + 16, 6);
	if (year > 9999 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
		minute > 59 || second > 60 || micro > 999999)
		return -1;
	/* Days since 1970-01-01: years begin in March, so that the leap day is the last one. */
	year -= month < 3;
	days = year * 365L + year / 4 - year / 100 + year / 400 +
	       (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1 - 719468;
	return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000000 + micro;
}

bool spool_is_image(const char *name)
{
	size_t length = strlen(name);

	return name_ok(name) && length > 4 && strcmp(name + length - 4, ".dcm") == 0;
}

/* A name for the thing in its error directory: its own, or "file" when that is not fit to be shown.
 */
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
	/* The reason first: a line too much explains nothing wrong, a thing without a reason would.
	 */
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
