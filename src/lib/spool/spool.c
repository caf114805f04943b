#define _GNU_SOURCE /* O_PATH */
#include "spool/spool.h"

#include "base/disk.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *spool_name(enum spool_dir dir)
{
	return spool_stage[dir].name;
}

/* The number of the tree's format, in .format: what an older program cannot know, it must not
 * touch. 1: the first; 2: what was acknowledged in receiving/ is named so, and who received says
 * that in association.json (assoc_has_ok()): so what format 1 has left there needs no upgrade. */
enum { FORMAT = 2 };
static const char format_file[] = ".format";

/* Returns the number, 0 when none is written yet, -1 with errno, 0 for what is no number. */
static long read_format(int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	long number;

	if (n <= 0)
		return n;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (parse_long(text, 1, LONG_MAX, &number) == 0)
		return number;
	errno = 0;
	return -1;
}

/* A spool without it is new or of the first format: whoever may write there gives it the number.
 * Several programs that start at once write the same bytes. */
static void write_format(int root)
{
	int fd = openat(root, format_file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);

	if (fd < 0)
		return; /* somebody who may not write, or a full disk: the next one */
	(void)dprintf(fd, "%d\n", FORMAT); /* the same */
	(void)close(fd);
}

/* The number of the format; 0: none is written yet. Dies when it cannot be known, or is above ours.
 */
static long known_format(int root, const char *path)
{
	int fd = openat(root, format_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	long number = fd < 0 ? 0 : read_format(fd);

	if (fd < 0 ? errno != ENOENT : number < 0 && errno)
		die(failure_code(errno), "unable to read %s/%s: %s", path, format_file,
			strerror(errno));
	if (fd >= 0)
		(void)close(fd); /* only read */
	if (number < 0)
		die(EXIT_PERMANENT,
			"unable to read the number of the spool's format in %s/%s; write 1 into it",
			path, format_file);
	if (number > FORMAT)
		die(EXIT_PERMANENT,
			"the spool %s has format %ld, and this program knows none above %d; "
			"run the newer dcmspool that made it",
			path, number, FORMAT);
	return number;
}

void spool_check_format(const char *path)
{
	int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return; /* it is to be made, or who opens it tells */
	(void)known_format(root, path);
	(void)close(root); /* only used as a base */
}

static void check_format(const struct spool *spool, bool look)
{
	int root = spool->dir[SPOOL_ROOT];

	if (known_format(root, spool->path) < FORMAT && !look)
		write_format(root);
}

static void open_spool(struct spool *spool, const char *path, bool look)
{
	struct stat root, st;

	if (chdir(path) < 0)
		die(failure_code(errno),
			"unable to enter the spool %s: %s; make it with: dcmspool layout %s", path,
			strerror(errno), path);
	spool->path = realpath(".", NULL);
	if (!spool->path || stat(".", &root) < 0)
		die(EXIT_TEMPORARY, "unable to look at the spool %s: %s", path, strerror(errno));
	for (int i = 0; i < SPOOL_DIRS; i++) {
		spool->dir[i] =
			open(spool_stage[i].name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (spool->dir[i] < 0 || fstat(spool->dir[i], &st) < 0)
			die(failure_code(errno),
				"unable to open the spool's directory %s/%s: %s; "
				"mend it with: dcmspool layout %s",
				spool->path, spool_stage[i].name, strerror(errno), spool->path);
		if (st.st_dev != root.st_dev)
			die(EXIT_PERMANENT,
				"the spool's directory %s/%s is another file system; "
				"the spool must be one, because every step is a rename",
				spool->path, spool_stage[i].name);
	}
	check_format(spool, look);
}

void spool_open(struct spool *spool, const char *path)
{
	open_spool(spool, path, false);
}

void spool_open_to_look(struct spool *spool, const char *path)
{
	open_spool(spool, path, true);
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

void spool_rfc3339(int64_t time_us, char *out, size_t size)
{
	char stamp[SPOOL_STAMP_SIZE];

	spool_stamp(time_us, stamp, sizeof(stamp));
	(void)snprintf(out, size, "%.4s-%.2s-%.2sT%.2s:%.2s:%.10s", stamp, stamp + 4, stamp + 6,
		stamp + 9, stamp + 11, stamp + 13);
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
