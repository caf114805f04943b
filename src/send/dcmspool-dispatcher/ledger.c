/*
 * sent.log, a line per answer: time TAB target TAB stored|failed TAB status TAB image TAB try TAB
 * text; try counts the answers to this image, from 1. Lines of other targets (a job moved from one
 * queue to another by hand) count for nothing.
 */
#define _GNU_SOURCE /* fallocate */
#include "dispatcher.h"

#include "spool/job.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEDGER_MAX = 1 << 28, FIELDS = 7, ANSWER_BYTES = 400 };

static int by_name(const void *key, const void *element)
{
	return strcmp(key, ((const struct image *)element)->name);
}

struct image *ledger_find(const struct work *work, const char *name)
{
	if (work->image_count == 0)
		return NULL;
	return bsearch(name, work->images, work->image_count, sizeof(*work->images), by_name);
}

static void note(struct image *image, bool stored, const char *status, const char *text)
{
	image->stored |= stored;
	image->failures += !stored;
	image->tries++;
	(void)snprintf(image->status, sizeof(image->status), "%s", status);
	(void)snprintf(image->text, sizeof(image->text), "%s", text);
}

/* Cuts line at its tabs. Returns whether it has exactly FIELDS fields. */
static bool split(char *line, char *field[FIELDS])
{
	for (int i = 0; i < FIELDS; i++) {
		char *tab = strchr(line, '\t');

		field[i] = line;
		if (!tab != (i == FIELDS - 1))
			return false;
		if (tab) {
			*tab = '\0';
			line = tab + 1;
		}
	}
	return true;
}

/* A line that a crash cut off counts for nothing: the image is sent again. */
static void read_lines(struct work *work, char *text)
{
	char *field[FIELDS], *end;

	for (char *line = text; (end = strchr(line, '\n')); line = end + 1) {
		struct image *image;

		*end = '\0';
		if (!split(line, field) || strcmp(field[1], work->target->name) != 0)
			continue;
		image = ledger_find(work, field[4]);
		if (image)
			note(image, strcmp(field[2], "stored") == 0, field[3], field[6]);
	}
}

int ledger_load(struct work *work)
{
	struct disk_names names;
	char *text;

	if (job_images(work->dir, &names) < 0)
		return -1;
	work->images = calloc(names.count + 1, sizeof(*work->images));
	if (!work->images) {
		disk_names_free(&names);
		errno = ENOMEM;
		return -1;
	}
	work->image_count = names.count;
	for (size_t i = 0; i < names.count; i++)
		work->images[i].name = names.name[i];
	free(names.name); /* its strings belong to the images now */
	text = disk_read_file(work->dir, "sent.log", LEDGER_MAX, NULL);
	if (!text)
		return errno == ENOENT ? 0 : -1;
	read_lines(work, text);
	free(text);
	return 0;
}

int ledger_add(
	struct work *work, struct image *image, bool stored, const char *status, const char *text)
{
	struct buf line = { 0 };
	char stamp[SPOOL_STAMP_SIZE];
	int result;

	spool_stamp(spool_now_us(), stamp, sizeof(stamp));
	buf_printf(&line, "%s\t%s\t%s\t%s\t%s\t%ld\t%s\n", stamp, work->target->name,
		stored ? "stored" : "failed", status, image->name, image->tries + 1, text);
	if (line.failed) {
		errno = ENOMEM;
		return -1;
	}
	result = disk_append(work->dir, "sent.log", line.data, line.length);
	buf_free(&line);
	if (result == 0) {
		note(image, stored, status, text);
		image->answered = true;
	}
	return result;
}

int ledger_reserve(const struct work *work, size_t answers)
{
	int fd = openat(work->dir, "sent.log", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
	int result = -1, saved;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0)
		result = fallocate(
			fd, FALLOC_FL_KEEP_SIZE, st.st_size, (off_t)answers * ANSWER_BYTES);
	if (result < 0 && errno == EOPNOTSUPP)
		result = 0; /* a file system that cannot promise room */
	saved = errno;
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	errno = saved;
	return result;
}

int ledger_sync(const struct work *work)
{
	int fd = openat(work->dir, "sent.log", O_RDWR | O_NOFOLLOW | O_CLOEXEC), result;
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	result = fstat(fd, &st) < 0 || ftruncate(fd, st.st_size) < 0 ? -1 : fsync(fd);
	(void)close(fd); /* only synced */
	return result;
}
