#define _GNU_SOURCE /* fallocate */
#include "spool/journal.h"

#include "base/clock.h"
#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room for the lines of others that write at the same moment. */
enum { AHEAD = 1 << 16 };

static const char suffix[] = ".jsonl";

bool journal_is_file(const char *name)
{
	size_t length = strlen(name), end = sizeof(suffix) - 1;

	return length > end && strcmp(name + length - end, suffix) == 0;
}

/* The whole line, or nothing of it: on a full disk room is made sure of before a byte is written. A
 * file system that cannot promise it (EOPNOTSUPP) is tried all the same. */
static int append(const struct spool *spool, const char *file, const char *line, size_t length)
{
	int journal = spool->dir[SPOOL_JOURNAL], result = 0, saved;
	int fd = openat(journal, file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0 ||
		(fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, (off_t)length + AHEAD) < 0 &&
			errno != EOPNOTSUPP))
		result = -1;
	saved = errno;
	(void)close(fd); /* nothing was written */
	errno = saved;
	return result < 0 ? -1 : disk_append(journal, file, line, length);
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
	char file[sizeof("2026-11-22.jsonl")], time[SPOOL_RFC3339_SIZE];
	const char *key, *value;
	char *line = NULL;
	va_list args;
	int ok, result = -1, saved = ENOMEM;

	spool_rfc3339(clock_now_us(), time, sizeof(time));
	(void)snprintf(file, sizeof(file), "%.10s%s", time, suffix);
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
	if (line) {
		size_t length = strlen(line);

		line[length] = '\n'; /* in the place of the NUL: the length is what is written */
		result = append(spool, file, line, length + 1);
		saved = errno;
		if (result < 0)
			log_error("unable to write the journal %s/journal/%s: %s; the event was: "
				  "%.*s",
				spool->path, file, strerror(errno), (int)length, line);
	} else {
		log_error("unable to write the journal: out of memory event=%s", event);
	}
	free(line);
	errno = saved;
	return result;
}
