#define _GNU_SOURCE
#include "filing.h"

#include "correct.h"
#include "dicom/dicom.h"
#include "base/clock.h"
#include "base/disk.h"
#include "spool/assoc.h"
#include "spool/file.h"
#include "spool/filed.h"
#include "spool/image.h"
#include "spool/journal.h"
#include "spool/series.h"
#include "base/log.h"
#include "spool/reason.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAILURES_TOLD = 2, NAME_SIZE = 256, PAUSE_MAX_MS = 64, WAIT_MAX_MS = 2000 };

/* One image on its way: what filing_file() has learnt about it. */
struct image {
	int dir, fd;
	const char *name;
	struct stat st;
	struct dicom_header header;
};

enum filing_result filing_quarantine(
	const struct filing *filing, int dir, const char *name, const char *reason)
{
	char as[NAME_MAX + 1];

	if (filing->has_ok)
		assoc_file(name, as);
	else
		(void)snprintf(as, sizeof(as), "%s", name);
	if (reason_quarantine_as(filing->spool, dir, name, as, filing->label, reason) < 0) {
		log_error(
			"unable to move %s to error/%s: %s", name, filing->label, strerror(errno));
		return FILING_FAILED;
	}
	log_warning("quarantined file=%s to=error/%s reason=%s", as, filing->label, reason);
	return FILING_QUARANTINED;
}

static int ensure_series_json(const struct filing *filing, const struct image *image, int batch)
{
	int there = series_exists(batch), result;
	json_t *series;

	if (there != 0)
		return there < 0 ? -1 : 0;
	series = image_series(&image->header,
		filing->dropped ? clock_now_us() : clock_mtime_us(&image->st), filing->sender);
	result = series ? series_create(batch, series) : -1;
	json_decref(series);
	return result;
}

static int ensure_marker(const struct filing *filing, int batch)
{
	char marker[ASSOC_MARKER_SIZE];

	assoc_marker(filing->association, marker);
	/* mknod makes the file without opening it: no close event, so the router is not woken */
	if (mknodat(batch, marker, S_IFREG | 0660, 0) == 0 || errno == EEXIST)
		return 0;
	return -1;
}

/* Copies the image, which lies on another file system, into the batch as temporary; durably. */
static int copy_into(const struct image *image, int batch, const char *temporary)
{
	int fd = openat(
		batch, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
	int result;

	if (fd < 0)
		return -1;
	result = disk_copy(image->fd, 0, fd);
	if (result == 0)
		result = fsync(fd);
	return disk_close(fd, result);
}

static int move_across(const struct image *image, int batch, const char *to)
{
	char temporary[64];
	int saved;

	(void)snprintf(temporary, sizeof(temporary), ".new.copy.%ld", (long)getpid());
	if (disk_unlink(batch, temporary) < 0)
		return -1;
	if (copy_into(image, batch, temporary) == 0 &&
		disk_rename(batch, temporary, batch, to) == 0)
		return unlinkat(image->dir, image->name, 0);
	saved = errno;
	(void)disk_unlink(batch, temporary); /* the next try removes it first */
	errno = saved;
	return -1;
}

/* Into the batch under this name, if it is free. The line is written first (filed.h). */
static int move_to(
	const struct filing *filing, const struct image *image, int batch, const char *name)
{
	if (filed_add(batch, name, image->st.st_size, filing->association) < 0)
		return -1;
	if (disk_rename(image->dir, image->name, batch, name) == 0 ||
		(errno == EXDEV && move_across(image, batch, name) == 0))
		return 0;
	if (errno == EEXIST) { /* whoever was faster has brought it */
		(void)filed_take_back(batch, name, filing->association); /* costs the count of it */
		errno = EEXIST;
	}
	return -1;
}

/* The committing call: into the batch as <sop>.dcm, or <sop>~2.dcm ... when other bytes have that
 * name; a newcomer with the same bytes is dropped. */
static enum filing_result move_into(
	const struct filing *filing, const struct image *image, int batch)
{
	const char *sop = dicom_get(&image->header, "SOPInstanceUID");
	char name[NAME_SIZE];
	int there, same;

	for (int i = 1; i < 10000; i++) {
		if (i == 1)
			(void)snprintf(name, sizeof(name), "%s.dcm", sop);
		else
			(void)snprintf(name, sizeof(name), "%s~%d.dcm", sop, i);
		there = disk_exists(batch, name);
		if (there == 0 && move_to(filing, image, batch, name) == 0)
			return FILING_FILED;
		if (there < 0 || (there == 0 && errno != EEXIST))
			return FILING_FAILED;
		same = image_is_same(&image->header, image->fd, batch, name);
		if (same < 0)
			return FILING_FAILED;
		if (same == 0)
			continue;
		if (unlinkat(image->dir, image->name, 0) < 0)
			return FILING_FAILED;
		journal_write(filing->spool, "duplicate", "association", filing->association,
			"series", dicom_get(&image->header, "SeriesInstanceUID"), "image", sop,
			NULL);
		return FILING_DUPLICATE;
	}
	errno = EEXIST;
	return FILING_FAILED;
}

/* Did somebody bring this directory, which has the name of a series? A batch has its series.json
 * before anything else; only that may be on its way. 1, 0, or -1 with errno. */
static int is_drop(int batch)
{
	struct disk_names names;
	int result = series_exists(batch);

	if (result != 0)
		return result < 0 ? -1 : 0;
	if (disk_list(batch, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		result |= !file_is_temporary(names.name[i]);
	disk_names_free(&names);
	return result;
}

/* Takes the series' name from a drop, under its lock, so that only one of us does it: the router
 * takes it as a drop under another name. -1 with errno, which may be that of a lock in use. */
static int rename_drop(int incoming, const char *series)
{
	char name[NAME_SIZE];
	int drop = disk_lock_dir(incoming, series, LOCK_EX | LOCK_NB), result, saved;

	if (drop < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%s.dropped", series); /* a UID fits */
	result = is_drop(drop);
	if (result > 0)
		result = disk_rename_unique(incoming, series, incoming, name, NULL, 0);
	saved = errno;
	(void)close(drop); /* releases the lock */
	errno = saved;
	return result;
}

static int lock_ours(int incoming, const char *series)
{
	int batch = disk_lock_dir(incoming, series, LOCK_SH | LOCK_NB), drop, saved;

	if (batch < 0)
		return -1;
	drop = is_drop(batch);
	if (drop == 0)
		return batch;
	saved = errno;
	(void)close(batch); /* releases the lock */
	errno = saved;
	if (drop > 0 && rename_drop(incoming, series) == 0)
		errno = ENOENT; /* the name is free */
	return -1;
}

/* Locks the series' batch, making it when needed. A router has it between its lock and its rename:
 * for microseconds, then the name is free. One that is stopped there is waited for once: meanwhile
 * the images of other series go on, and we are started again. */
static int lock_batch(int incoming, const char *series)
{
	static bool waited;
	long pause_ms = 1, waited_ms = 0;
	int batch;

	for (;;) {
		if (disk_make_dir(incoming, series) < 0)
			return -1;
		batch = lock_ours(incoming, series);
		if (batch >= 0 || (errno != EWOULDBLOCK && errno != ENOENT))
			return batch;
		if (waited || waited_ms >= WAIT_MAX_MS)
			break;
		(void)poll(NULL, 0, (int)pause_ms);
		waited_ms += pause_ms;
		pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
	}
	waited = true;
	errno = EBUSY;
	return -1;
}

static enum filing_result into_batch(const struct filing *filing, const struct image *image)
{
	enum filing_result result = FILING_FAILED;
	int batch = lock_batch(filing->spool->dir[SPOOL_INCOMING],
		    dicom_get(&image->header, "SeriesInstanceUID")),
	    saved;

	if (batch < 0)
		return FILING_FAILED;
	if (ensure_series_json(filing, image, batch) == 0 && ensure_marker(filing, batch) == 0)
		result = move_into(filing, image, batch);
	saved = errno;
	(void)close(batch); /* releases the lock */
	errno = saved;
	return result;
}

/* On a full disk every image fails in the same way: the first few tell enough. errno is the reason.
 */
static void tell_failure(const char *name, const char *series)
{
	static unsigned int failures;

	if (failures++ < FAILURES_TOLD)
		log_error("unable to file %s into incoming/%s: %s; it is tried again", name, series,
			strerror(errno));
}

enum filing_result filing_file(const struct filing *filing, int dir, const char *name, bool walk)
{
	struct image image = { .dir = dir, .fd = -1, .name = name };
	enum filing_result result = FILING_FAILED;
	struct dicom_error error = { 0 };
	const char *why = NULL;

	if (correct_syntax(filing->stand_ins, dir, name) < 0 && errno != ENOENT)
		goto out;
	image.fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (image.fd < 0 && errno == ENOENT)
		return FILING_GONE; /* seen both by a scan and by an event */
	if (image.fd < 0 && errno == ELOOP)
		return filing_quarantine(
			filing, dir, name, "is a symbolic link; bring the file itself");
	if (image.fd < 0 && errno == EACCES)
		return filing_quarantine(filing, dir, name,
			"may not be read by the user who runs dcmspool; "
			"chown it, then move its directory to incoming/");
	if (image.fd < 0 && errno == ENXIO)
		return filing_quarantine(filing, dir, name, strerror(errno));
	if (image.fd < 0 || fstat(image.fd, &image.st) < 0)
		goto out;
	if (!S_ISREG(image.st.st_mode))
		why = "is not a regular file";
	else if (dicom_read_header(image.fd, &image.header, &error) < 0)
		why = error.text;
	else if (!(why = image_objection(&image.header)) && walk &&
		 dicom_walk(image.fd, &error) < 0)
		why = error.text;
	/* A read that failed may work later; only what the file itself says is a reason. */
	if (why == error.text && error.number != 0)
		errno = error.number;
	else if (why)
		result = filing_quarantine(filing, dir, name, why);
	else
		result = into_batch(filing, &image);
out:
	if (result == FILING_FAILED)
		tell_failure(name, dicom_get(&image.header, "SeriesInstanceUID"));
	dicom_header_free(&image.header);
	if (image.fd >= 0)
		(void)close(image.fd); /* only read */
	return result;
}
