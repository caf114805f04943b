#include "tags.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decide/names.h"
#include "dicom/dicom.h"
#include "dicom/dictionary.h"
#include "base/log.h"

enum { PREFIX = 132 }; /* PS3.10 7.1: 128 bytes, then "DICM" */

static const char *path;
static int image = -1; /* the DICOM file, until it has been read */
static struct dicom_header header;
static json_t *json, *values; /* what was read, and the object in it that has the tags */

/* Part 10 begins its data behind PREFIX bytes; an older file begins with a tag, never with '{'. */
static bool is_json(int fd)
{
	char start[PREFIX];
	ssize_t n = pread(fd, start, sizeof(start), 0), i = 0;

	if (n == sizeof(start) && memcmp(start + PREFIX - 4, "DICM", 4) == 0)
		return false;
	while (i < n && strchr(" \t\r\n", start[i]) && start[i])
		i++;
	return i < n && start[i] == '{';
}

static void check_values(void)
{
	const char *key;
	json_t *value;

	json_object_foreach (values, key, value)
		if (!json_is_string(value))
			die(EXIT_PERMANENT,
				"unable to read tags from %s: %s is no string; values must be "
				"strings, as in series.json",
				path, key);
}

static void load_json(int fd)
{
	json_error_t error;

	errno = 0;
	json = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
	if (!json && (errno == EIO || errno == ENOMEM)) /* which jansson takes for the end */
		die(EXIT_TEMPORARY, "unable to read tags from %s: %s", path, strerror(errno));
	if (!json)
		die(EXIT_PERMANENT, "unable to read tags from %s: line %d: %s", path, error.line,
			error.text);
	values = json_object_get(json, "tags");
	if (!json_is_object(values))
		values = json;
	if (!json_is_object(values))
		die(EXIT_PERMANENT, "unable to read tags from %s: expected an object", path);
	check_values();
}

void tags_open(const char *file)
{
	struct stat st;

	path = file;
	if (!path)
		return;
	if (strcmp(path, "-") == 0) {
		path = "standard input";
		load_json(STDIN_FILENO);
		return;
	}
	/* A FIFO must not keep us waiting. */
	image = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (image < 0 || fstat(image, &st) < 0)
		die(failure_code(errno), "unable to open %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die(EXIT_PERMANENT, "unable to read tags from %s: it is %s; %s", path,
			S_ISDIR(st.st_mode) ? "a directory" : "no regular file",
			S_ISDIR(st.st_mode) ? "give one of the images in it"
					    : "JSON is read from standard input with -");
	if (!is_json(image))
		return;
	load_json(image);
	(void)close(image); /* only read */
	image = -1;
}

bool tags_are_json(void)
{
	return values != NULL;
}

static const char *find_value(const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach (values, key, value)
		if (strcasecmp(key, name) == 0)
			return json_string_value(value);
	return NULL;
}

bool tags_known(const char *name)
{
	struct dicom_want_error unused;

	if (names_known(name))
		return true;
	if (image >= 0)
		return dicom_want(name, &unused) == 0;
	return dicom_dictionary_keyword(name) || find_value(name);
}

void tags_nearest(struct nearest *nearest)
{
	const char *key;
	json_t *value;

	json_object_foreach (values, key, value)
		nearest_try(nearest, key);
	names_nearest(nearest);
	names_nearest_keyword(nearest);
}

void tags_read(void)
{
	struct dicom_error error;

	if (image < 0)
		return;
	if (dicom_read_header(image, &header, &error) < 0)
		die(error.number ? failure_code(error.number) : EXIT_PERMANENT,
			"unable to read tags from %s: %s", path, error.text);
	(void)close(image); /* only read */
	image = -1;
}

const char *tags_get(const void *context, const char *name)
{
	const char *text;

	(void)context; /* there is one set of tags */
	if (!values)
		return dicom_get(&header, name);
	text = find_value(name);
	return text ? text : "";
}

void tags_close(void)
{
	json_decref(json);
	json = values = NULL;
	dicom_header_free(&header);
	dicom_want_none();
}
