#include "spool/journal.h"

#include "base/disk.h"
#include "base/log.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char suffix[] = ".jsonl";

bool journal_is_file(const char *name)
{
	size_t length = strlen(name), end = sizeof(suffix) - 1;

	return length > end && strcmp(name + length - end, suffix) == 0;
}

/* A JSON string of text; bytes that are not UTF-8 become \xNN, for nothing may be dropped. */
static json_t *string_of(const char *text)
{
	json_t *value = json_string(text);
	size_t size = strlen(text) * 4 + 1, n = 0;
	char *ascii;

	if (value || !(ascii = malloc(size)))
		return value;
	for (const unsigned char *p = (const unsigned char *)text; *p; p++)
		n += (size_t)snprintf(ascii + n, size - n, *p < 0x80 ? "%c" : "\\x%02x", *p);
	value = json_string(ascii);
	free(ascii);
	return value;
}

void journal_write(const struct spool *spool, const char *event, ...)
{
	json_t *object = json_object();
	char file[sizeof("2026-11-22.jsonl")], stamp[SPOOL_STAMP_SIZE];
	const char *key, *value;
	char *line = NULL;
	va_list args;
	int ok;

	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	(void)snprintf(file, sizeof(file), "%.4s-%.2s-%.2s%s", stamp, stamp + 4, stamp + 6, suffix);
	ok = object && json_object_set_new(object, "time", json_string(stamp)) == 0 &&
	     json_object_set_new(object, "event", json_string(event)) == 0;
	va_start(args, event);
	while (ok && (key = va_arg(args, const char *))) {
		value = va_arg(args, const char *);
		if (value)
			ok = json_object_set_new(object, key, string_of(value)) == 0;
	}
	va_end(args);
	if (ok)
		line = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (line) {
		size_t length = strlen(line);

		line[length] = '\n'; /* in the place of the NUL: the length is what is written */
		if (disk_append(spool->dir[SPOOL_JOURNAL], file, line, length + 1) < 0)
			log_error("unable to write the journal %s/journal/%s: %s; the event was: "
				  "%.*s",
				spool->path, file, strerror(errno), (int)length, line);
	} else {
		log_error("unable to write the journal: out of memory event=%s", event);
	}
	free(line);
}
