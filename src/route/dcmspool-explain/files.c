/*
 * files: a directory of DICOM files, sorted into series; or of jobs, each told as it is met.
 */
#include "series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/show.h"
#include "spool/file.h"
#include "spool/journal.h"

enum { DEPTH_MAX = 16 };

struct image {
	char *uid, *name;
};

struct files {
	const char *path;
	int dir;
	struct image *image;
	size_t count, capacity;
	const struct conf *conf;
	series_tell *tell;
	json_t *dropped; /* series.json of each */
	bool others;     /* jobs, or files that are no images */
	int code;        /* the greatest so far */
};

char *series_uid(int dir, const char *name, struct dicom_error *error)
{
	/* A FIFO must not keep us waiting. */
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct dicom_header header = { 0 };
	const char *uid;
	char *copy = NULL;

	*error = (struct dicom_error){ .number = fd < 0 ? errno : 0 };
	if (fd < 0) {
		(void)snprintf(error->text, sizeof(error->text), "%s", strerror(errno));
		return NULL;
	}
	if (dicom_read_header(fd, &header, error) < 0)
		goto out;
	if (dicom_no_image(&header)) {
		(void)snprintf(error->text, sizeof(error->text), "it %s", dicom_no_image(&header));
		goto out;
	}
	uid = dicom_get(&header, "SeriesInstanceUID");
	if (!uid_ok(uid)) {
		(void)snprintf(error->text, sizeof(error->text), "it has no SeriesInstanceUID");
		goto out;
	}
	copy = strdup(uid);
	if (!copy)
		*error = (struct dicom_error){ .number = ENOMEM, .text = "out of memory" };
out:
	dicom_header_free(&header);
	(void)close(fd); /* only read */
	return copy;
}

/* What the programs of dcmspool put into a spool, beside images. */
static bool is_ours(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return file_is_ours(FILE_ANYWHERE, name) || journal_is_file(name);
}

static void failed(struct files *files, const char *name, const char *reason)
{
	log_error("unable to read %s/%s: %s", files->path, name, reason);
	files->code = EXIT_TEMPORARY;
}

static void add_image(struct files *files, const char *name)
{
	struct image *more;

	if (files->count == files->capacity) {
		files->capacity = files->capacity ? 2 * files->capacity : 64;
		more = realloc(files->image, files->capacity * sizeof(*more));
		if (!more)
			die(EXIT_TEMPORARY, "unable to read %s: out of memory", files->path);
		files->image = more;
	}
	files->image[files->count].name = strdup(name);
	if (!files->image[files->count].name)
		die(EXIT_TEMPORARY, "unable to read %s: out of memory", files->path);
	files->count++;
}

static void add_file(struct files *files, const char *name)
{
	struct dicom_error error;
	char *uid;

	if (is_ours(name))
		return;
	uid = series_uid(files->dir, name, &error);
	if (uid) {
		add_image(files, name);
		files->image[files->count - 1].uid = uid;
	} else if (error.number) {
		failed(files, name, error.text);
	} else {
		files->others = true;
		log_warning(
			"%s/%s: left out, it is no DICOM image: %s", files->path, name, error.text);
	}
}

static void take_code(struct files *files, int code)
{
	if (code > files->code)
		files->code = code;
}

/* Tells about the job that the directory name below files->dir is; false when it is none. */
static bool tell_job(struct files *files, const char *name)
{
	struct buf path = { 0 };
	int code;

	buf_printf(&path, "%s/%s", files->path, name);
	if (path.failed)
		die(EXIT_TEMPORARY, "unable to read %s: out of memory", files->path);
	code = series_job(files->conf, path.data, NULL, files->tell);
	buf_free(&path);
	if (code < 0)
		return false;
	files->others = true;
	take_code(files, code);
	return true;
}

static void add_directory(struct files *files, const char *name, int depth);

/* name, a path below files->dir, whatever it is. */
static void add_entry(struct files *files, const char *name, int depth)
{
	struct stat st;

	if (fstatat(files->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		failed(files, name, strerror(errno));
	else if (S_ISREG(st.st_mode))
		add_file(files, name);
	else if (S_ISDIR(st.st_mode) && depth == DEPTH_MAX)
		failed(files, name, "it lies too deep");
	else if (S_ISDIR(st.st_mode) && !tell_job(files, name))
		add_directory(files, name, depth + 1);
}

/* The directory name below files->dir, "" for itself. */
static void add_directory(struct files *files, const char *name, int depth)
{
	struct disk_names entries;

	if (disk_list(files->dir, *name ? name : ".", &entries) < 0) {
		failed(files, *name ? name : ".", strerror(errno));
		return;
	}
	for (size_t i = 0; i < entries.count; i++) {
		struct buf path = { 0 };

		if (entries.name[i][0] == '.')
			continue;
		buf_printf(&path, "%s%s%s", name, *name ? "/" : "", entries.name[i]);
		if (path.failed)
			die(EXIT_TEMPORARY, "unable to read %s: out of memory", files->path);
		add_entry(files, path.data, depth);
		buf_free(&path);
	}
	disk_names_free(&entries);
}

static int by_series(const void *a, const void *b)
{
	const struct image *left = a, *right = b;
	int order = strcmp(left->uid, right->uid);

	return order ? order : strcmp(left->name, right->name);
}

/* The images from first on that are of one series; returns where the next one begins. */
static size_t tell_series(struct files *files, size_t first)
{
	struct series series = { .path = files->path,
		.kind = "a directory",
		.dir = files->dir,
		.json = files->dropped };
	size_t end = first;

	for (; end < files->count && strcmp(files->image[end].uid, files->image[first].uid) == 0;
		end++)
		if (disk_names_add(&series.images, files->image[end].name) < 0)
			die(EXIT_TEMPORARY, "unable to read %s: out of memory", files->path);
	take_code(files, files->tell(files->conf, &series));
	disk_names_free(&series.images);
	return end;
}

static void print_nothing(const char *path)
{
	struct buf line = { 0 };

	show_add(&line, path);
	show_whole(&line, 0);
	buf_puts(&line, "nothing in it");
	show_line(&line, 2);
}

static void files_free(struct files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->image[i].uid);
		free(files->image[i].name);
	}
	free(files->image);
	json_decref(files->dropped);
}

int series_files(const struct conf *conf, const char *path, int dir, series_tell *tell)
{
	struct files files = {
		.path = path, .dir = dir, .conf = conf, .tell = tell, .dropped = series_dropped()
	};

	if (!files.dropped)
		die(EXIT_TEMPORARY, "unable to read %s: out of memory", path);
	add_directory(&files, "", 0);
	if (files.count)
		qsort(files.image, files.count, sizeof(*files.image), by_series);
	else if (!files.others && files.code == 0)
		print_nothing(path);
	for (size_t i = 0; i < files.count;)
		i = tell_series(&files, i);
	files_free(&files);
	return files.code;
}
