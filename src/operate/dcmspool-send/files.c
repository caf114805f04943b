#define _GNU_SOURCE /* realpath */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"
#include "base/str.h"
#include "dicom/dicom.h"
#include "spool/image.h"

enum { DEPTH_MAX = 16 };

static _Noreturn void no_memory(void)
{
	die(EXIT_TEMPORARY, "unable to read the files: out of memory; try again");
}

void files_refuse(struct files *files, const char *path, const char *reason)
{
	log_error("unable to send %s: %s; the others are not affected", path, reason);
	files->refused = true;
}

static bool may_pass(int number)
{
	switch (number) {
	case EACCES:
	case EPERM:
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENXIO: /* a socket */
		return false;
	default:
		return true;
	}
}

void files_fail(struct files *files, const char *path, int number)
{
	if (!may_pass(number)) {
		files_refuse(files, path, strerror(number));
		return;
	}
	log_error("unable to read %s: %s; the others are not affected; send it again", path,
		strerror(number));
	files->failed = true;
}

static void add(struct files *files, const char *path, const char *series)
{
	struct file *more = files->file;

	if (files->count == files->capacity) {
		files->capacity = files->capacity ? 2 * files->capacity : 64;
		more = realloc(more, files->capacity * sizeof(*more));
		if (!more)
			no_memory();
		files->file = more;
	}
	more[files->count] = (struct file){ .path = strdup(path), .series = strdup(series) };
	if (!more[files->count].path || !more[files->count].series)
		no_memory();
	files->count++;
}

static void add_file(struct files *files, const char *path)
{
	/* A FIFO must not keep us waiting. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct dicom_header header = { 0 };
	struct dicom_error error = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		files_fail(files, path, errno);
	else if (!S_ISREG(st.st_mode))
		files_refuse(files, path, "it is no regular file");
	else if (dicom_read_header(fd, &header, &error) == 0 && !image_objection(&header))
		add(files, path, dicom_get(&header, "SeriesInstanceUID"));
	else if (error.number)
		files_fail(files, path, error.number);
	else
		files_refuse(files, path, *error.text ? error.text : image_objection(&header));
	dicom_header_free(&header);
	if (fd >= 0)
		(void)close(fd); /* only read */
}

static void add_below(struct files *files, const char *path, int depth)
{
	struct disk_names names;
	struct stat st;

	if (lstat(path, &st) < 0) {
		files_fail(files, path, errno);
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		add_file(files, path);
		return;
	}
	if (depth == DEPTH_MAX) {
		files_refuse(files, path, "it lies too deep");
		return;
	}
	if (disk_list(AT_FDCWD, path, &names) < 0) {
		files_fail(files, path, errno);
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		struct buf below = { 0 };

		if (names.name[i][0] == '.')
			continue;
		buf_printf(&below, "%s/%s", path, names.name[i]);
		if (below.failed)
			no_memory();
		add_below(files, below.data, depth + 1);
		buf_free(&below);
	}
	disk_names_free(&names);
}

void files_add(struct files *files, const char *path)
{
	/* The spool is opened later, which changes the directory. */
	char *real = realpath(path, NULL);

	if (real)
		add_below(files, real, 0);
	else
		files_fail(files, path, errno);
	free(real);
}

static int by_series(const void *a, const void *b)
{
	const struct file *left = a, *right = b;
	int order = strcmp(left->series, right->series);

	return order ? order : strcmp(left->path, right->path);
}

void files_sort(struct files *files)
{
	if (files->count > 1)
		qsort(files->file, files->count, sizeof(*files->file), by_series);
}

void files_free(struct files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->file[i].path);
		free(files->file[i].series);
	}
	free(files->file);
	*files = (struct files){ 0 };
}
