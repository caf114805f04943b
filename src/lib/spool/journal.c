#define _GNU_SOURCE /* fallocate */
#include "spool/journal.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the lines of others that write at the same moment: wanted, and when the disk is full. */
enum { AHEAD = 1 << 16, AHEAD_LEAST = 1 << 14, DAY_US = 86400 };

enum { FILE_SIZE = sizeof("2026-11-22.jsonl") };

static const char suffix[] = ".jsonl";

bool journal_is_file(const char *name)
{
	static const char form[] = "0000-00-00";
	size_t i;

	for (i = 0; form[i]; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)name[i]) : name[i] != form[i])
			return false;
	return strcmp(name + i, suffix) == 0;
}

static void file_of(int64_t time_us, char file[FILE_SIZE])
{
	char time[SPOOL_RFC3339_SIZE];

	spool_rfc3339(time_us, time, sizeof(time));
	(void)snprintf(file, FILE_SIZE, "%.10s%s", time, suffix);
}

static int sync_file(const struct spool *spool, const char *file)
{
	int fd = openat(spool->dir[SPOOL_JOURNAL], file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -1 : disk_close(fd, fdatasync(fd));
}

static int sync_day_before(const struct spool *spool, int64_t time_us)
{
	char file[FILE_SIZE];

	file_of(time_us - INT64_C(1000000) * DAY_US, file);
	return sync_file(spool, file) == 0 || errno == ENOENT ? 0 : -1;
}

int journal_sync(const struct spool *spool)
{
	int64_t now_us = clock_now_us();
	char file[FILE_SIZE];

	file_of(now_us, file);
	if (sync_file(spool, file) == 0)
		return 0;
	return errno == ENOENT ? sync_day_before(spool, now_us) : -1;
}

/* What is asked for, or on a full disk what had been made sure of before. A file system that cannot
 * promise it (EOPNOTSUPP) is tried all the same. */
static int make_room(int fd, off_t end, off_t length)
{
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, end, length + AHEAD) == 0 || errno == EOPNOTSUPP)
		return 0;
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, end, length + AHEAD_LEAST);
}

/* Has a crash cut off the last line? Then ours begins a new one. While somebody writes it may look
 * so as well, which costs an empty line. */
static bool is_cut_off(int fd, off_t end)
{
	char last;

	return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

/* The whole line, or nothing of it: on a full disk room is made sure of before a byte is written.
 * Whoever begins a day has the day before on the disk, for journal_sync() looks at today's. line
 * has an end of a line before it, which is written when it is needed. */
static int append(const struct spool *spool, int64_t time_us, const char *file, const char *line,
	size_t length)
{
	int journal = spool->dir[SPOOL_JOURNAL], result = -1;
	int fd = openat(journal, file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
	struct stat st;
	bool cut = false;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0) {
		if (st.st_size == 0)
			(void)sync_day_before(spool, time_us); /* no reason to lose today's line */
		cut = is_cut_off(fd, st.st_size);
		result = make_room(fd, st.st_size, (off_t)length);
	}
	result = disk_close(fd, result);
	return result < 0 ? -1 : disk_append(journal, file, line - cut, length + cut);
}

/* The caller frees. C1 control characters, which JSON lets through, are for no terminal. */
static char *line_of(const json_t *object)
{
	char *line = json_dumps(object, JSON_COMPACT);

	if (!line || !text_has_control(line))
		return line;
	free(line);
	return json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
}

int journal_write(const struct spool *spool, const char *event, ...)
{
	json_t *object = json_object();
	char file[FILE_SIZE], time[SPOOL_RFC3339_SIZE];
	const int64_t now_us = clock_now_us();
	const char *key, *value;
	struct buf text = { 0 };
	char *line = NULL;
	va_list args;
	int ok, result = -1, saved = ENOMEM;

	spool_rfc3339(now_us, time, sizeof(time));
	file_of(now_us, file);
	ok = object && json_object_set_new(object, "time", json_string(time)) == 0 &&
	     json_object_set_new(object, "event", json_string(event)) == 0;
	va_start(args, event);
	while (ok && (key = va_arg(args, const char *))) {
		value = va_arg(args, const char *);
		if (value)
			ok = json_object_set_new(object, key, jsonfile_string(value)) == 0;
	}
	va_end(args);
	if (ok)
		line = line_of(object);
	json_decref(object);
	if (line)
		buf_printf(&text, "\n%s\n", line);
	if (line && !text.failed) {
		result = append(spool, now_us, file, text.data + 1, text.length - 1);
		saved = errno;
		if (result < 0)
			log_error("unable to write the journal %s/journal/%s: %s; the event was: "
				  "%s",
				spool->path, file, strerror(errno), line);
	} else {
		log_error("unable to write the journal: out of memory event=%s", event);
	}
	free(line);
	buf_free(&text);
	errno = saved;
	return result;
}
