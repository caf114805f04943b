#include "base/jsonfile.h"

#include "base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE_MAX_BYTES = 1 << 26 };

json_t *jsonfile_load(int dir, const char *name)
{
	char *text = disk_read_file(dir, name, SIZE_MAX_BYTES, NULL);
	json_error_t error;
	json_t *object;

	if (!text)
		return NULL;
	object = json_loads(text, 0, &error);
	free(text);
	if (json_is_object(object))
		return object;
	errno = !object && json_error_code(&error) == json_error_out_of_memory ? ENOMEM : EINVAL;
	json_decref(object);
	return NULL;
}

int jsonfile_store(int dir, const char *name, const json_t *object)
{
	char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
	int result, saved;
	size_t length;

	if (!text) {
		errno = ENOMEM;
		return -1;
	}
	length = strlen(text);
	text[length] = '\n'; /* in the place of the NUL: the length is what is written */
	result = disk_write_file(dir, name, text, length + 1);
	saved = errno;
	free(text);
	errno = saved;
	return result;
}

static int write_temporary(int dir, const char *temporary, const char *text)
{
	int fd;

	if (disk_unlink(dir, temporary) < 0)
		return -1;
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
	return fd < 0 ? -1 : disk_close(fd, disk_write_all(fd, text, strlen(text)));
}

int jsonfile_create(int dir, const char *name, const json_t *object)
{
	char *text = object ? json_dumps(object, JSON_INDENT(2)) : NULL, temporary[256];
	int result, saved;

	if (!text) {
		errno = ENOMEM;
		return -1;
	}
	(void)snprintf(
		temporary, sizeof(temporary), ".new.%s.%ld", name, (long)getpid()); /* fits */
	result = write_temporary(dir, temporary, text);
	if (result == 0) {
		result = disk_rename(dir, temporary, dir, name);
		if (result < 0 && errno == EEXIST) /* another one was first */
			result = disk_unlink(dir, temporary);
	}
	saved = errno;
	if (result < 0)
		(void)disk_unlink(dir, temporary); /* the router removes what stays in a batch */
	free(text);
	errno = saved;
	return result;
}

const char *jsonfile_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_t *jsonfile_string(const char *text)
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
