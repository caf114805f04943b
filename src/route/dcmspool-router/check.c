/*
 * Are the images of a batch whole (STATES.md 4)? What getdcmtags filed since the machine was
 * started is believed; everything else came by hand, or may have been cut off by a power failure,
 * and is walked to its end.
 */
#include "router.h"

#include "base/clock.h"
#include "base/log.h"
#include "dicom/dicom.h"
#include "spool/file.h"
#include "spool/filed.h"
#include "spool/job.h"
#include "spool/reason.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The lines of the batch. Something of the name that getdcmtags has not written has none. */
static int load(int batch, struct filed *filed)
{
	if (filed_load(batch, filed) == 0)
		return 0;
	if (errno != EINVAL && errno != ELOOP && errno != EFBIG && errno != EACCES)
		return -1;
	*filed = (struct filed){ 0 };
	return 0;
}

/* When one image of the batch may be taken; -1 with errno. Whoever says that the batch is complete
 * waits for nothing but the end of a writer. */
static int64_t image_due(const struct router *router, int batch, const struct filed *filed,
	const char *name, bool complete)
{
	struct stat st;
	int written;

	if (fstatat(batch, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(st.st_mode) || filed_word(filed, name, st.st_size) != FILED_NOT)
		return 0;
	if (!complete)
		return quiet_file_due(router, batch, name, &st);
	written = quiet_is_written(batch, name);
	if (written < 0 && errno != EACCES)
		return -1;
	return written == 1 ? clock_now_us() + WRITING_US : 0;
}

int64_t check_due(const struct router *router, int batch)
{
	int complete = file_exists(batch, FILE_COMPLETE), saved;
	struct disk_names images = { 0 };
	int64_t due_us = 0, one_us;
	struct filed filed;

	if (complete < 0 || load(batch, &filed) < 0)
		return -1;
	/* Without any line it is none of getdcmtags', or one of before there were lines. */
	if (filed.count > 0 && job_images(batch, &images) < 0)
		due_us = -1;
	for (size_t i = 0; i < images.count && due_us >= 0; i++) {
		one_us = image_due(router, batch, &filed, images.name[i], complete);
		due_us = one_us < 0 || one_us > due_us ? one_us : due_us;
	}
	saved = errno;
	disk_names_free(&images);
	filed_free(&filed);
	errno = saved;
	return due_us;
}

/* Walks the image. 1: it is whole, 0: not, and why; -1 with errno: it cannot be known now. */
static int is_whole(int dir, const char *name, char *why, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), result;
	struct dicom_error error;

	if (fd < 0 && errno == EACCES)
		(void)snprintf(why, size, "%s; the user who runs dcmspool must be able to read it",
			strerror(errno));
	if (fd < 0)
		return errno == EACCES ? 0 : -1;
	result = dicom_walk(fd, &error) == 0;
	(void)close(fd); /* only read */
	(void)snprintf(why, size, "is not whole: %s", error.text);
	errno = error.number;
	return errno ? -1 : result;
}

static int quarantine(
	struct router *router, const struct claim *claim, const char *name, const char *why)
{
	if (reason_quarantine(&router->spool, claim->dir, name, claim->job, why) < 0)
		return -1;
	log_warning("quarantined, moved to error/%s job=%s name=%s reason=%s", claim->job,
		claim->job, name, why);
	return 0;
}

/* The name has become free: a later image that had to be called NAME~2.dcm, or ~3, because of the
 * one that was not whole, gets it. */
static int give_way(int dir, const char *name, size_t images)
{
	char later[256];

	for (size_t i = 2; i <= images; i++) {
		(void)snprintf(later, sizeof(later), "%.*s~%zu.dcm",
			(int)(strlen(name) - strlen(".dcm")), name, i); /* name_ok(): fits */
		if (disk_rename(dir, later, dir, name) == 0)
			break;
		if (errno != ENOENT)
			return errno == EEXIST ? 0 : -1;
	}
	return 0;
}

/* Quarantines the image, and notes it, when it is not whole. */
static int check_image(struct router *router, const struct claim *claim, const struct filed *filed,
	const char *name, struct disk_names *gone)
{
	char why[512];
	struct stat st;
	int whole;

	if (fstatat(claim->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || filed_word(filed, name, st.st_size) == FILED_BELIEVED)
		return 0;
	whole = is_whole(claim->dir, name, why, sizeof(why));
	if (whole != 0)
		return whole < 0 ? -1 : 0;
	return quarantine(router, claim, name, why) < 0 ? -1 : disk_names_add(gone, name);
}

int check_images(struct router *router, const struct claim *claim)
{
	struct disk_names images = { 0 }, gone = { 0 };
	struct filed filed;
	int result, saved;

	if (load(claim->dir, &filed) < 0)
		return -1;
	result = job_images(claim->dir, &images);
	for (size_t i = 0; i < images.count && result == 0; i++)
		result = check_image(router, claim, &filed, images.name[i], &gone);
	/* What was sent ahead is known by its name; a power failure may have taken ahead.json. */
	for (size_t i = 0; !router->cuts_through && i < gone.count && result == 0; i++)
		result = give_way(claim->dir, gone.name[i], images.count);
	saved = errno;
	disk_names_free(&gone);
	disk_names_free(&images);
	filed_free(&filed);
	errno = saved;
	return result;
}
