#include "series.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"
#include "dicom/dicom.h"
#include "spool/image.h"
#include "spool/journal.h"
#include "spool/newjob.h"
#include "spool/plan.h"
#include "spool/series.h"
#include "spool/share.h"

enum { NAME_SIZE = 256 };
/* file_is_temporary(): no image, however far we come. */
static const char copy[] = ".new.image";

/* One series on its way into a job. */
struct making {
	const struct verb *verb;
	struct files *files;
	struct newjob job;
	json_t *series; /* of its first image */
	size_t images;
	char first[NAME_SIZE]; /* the image with the lowest InstanceNumber */
	long lowest;
};

/* The copy, open as fd, gets its name. Another one of that name that is the same is as good; other
 * bytes go behind "~2". -1 with errno. */
static int name_copy(struct making *m, const struct dicom_header *header, int fd)
{
	const char *sop = dicom_get(header, "SOPInstanceUID");
	const char *number = dicom_get(header, "InstanceNumber");
	long instance = *number ? strtol(number, NULL, 10) : LONG_MAX;
	char name[NAME_SIZE];
	int same;

	for (int i = 1;; i++) {
		(void)snprintf(name, sizeof(name), i == 1 ? "%s.dcm" : "%s~%d.dcm", sop, i);
		if (disk_rename(m->job.dir, copy, m->job.dir, name) == 0)
			break;
		if (errno != EEXIST)
			return -1;
		same = image_is_same(header, fd, m->job.dir, name);
		if (same != 0)
			return same < 0 ? -1 : disk_unlink(m->job.dir, copy);
	}
	m->images++;
	if (m->images == 1 || instance < m->lowest) {
		m->lowest = instance;
		(void)snprintf(m->first, sizeof(m->first), "%s", name);
	}
	return 0;
}

/* Tags and sender as series.json has them, of the first whole image. */
static int know_series(struct making *m, const struct dicom_header *header)
{
	json_t *sender;

	if (m->series)
		return 0;
	sender = json_pack("{s:s, s:s}", "peer", "local", "by", m->verb->by);
	m->series = image_series(header, spool_now_us(), sender);
	json_decref(sender);
	return m->series ? 0 : -1;
}

/* The copy is what is looked at: the file may change meanwhile. -1 with errno: it is not the file's
 * fault. */
static int take_copy(struct making *m, const char *path)
{
	int fd = openat(m->job.dir, copy, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), result = -1, saved;
	struct dicom_header header = { 0 };
	struct dicom_error error = { 0 };
	const char *why = NULL;

	if (fd < 0)
		return -1;
	if (dicom_read_header(fd, &header, &error) < 0)
		why = error.text;
	else if (!(why = image_objection(&header)) && dicom_walk(fd, &error) < 0)
		why = error.text;
	if (error.number) {
		errno = error.number;
	} else if (why) {
		files_refuse(m->files, path, why);
		result = disk_unlink(m->job.dir, copy);
	} else if (know_series(m, &header) == 0) {
		result = name_copy(m, &header, fd);
	}
	saved = errno;
	dicom_header_free(&header);
	(void)close(fd); /* only read */
	errno = saved;
	return result;
}

/* The job's name has the study of the first file. */
static int begin(struct making *m, const char *target, const struct file *file)
{
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), result;
	struct dicom_header header = { 0 };
	struct dicom_error error;

	if (fd >= 0)
		(void)dicom_read_header(fd, &header, &error); /* else it has none, and is refused */
	result = newjob_begin(&m->job, &m->verb->spool, target,
		dicom_get(&header, "StudyInstanceUID"), file->series);
	dicom_header_free(&header);
	if (fd >= 0)
		(void)close(fd); /* only read */
	return result < 0 ? -1 : share_begin(m->job.dir);
}

static int commit(struct making *m)
{
	json_t *plan = plan_new(m->job.name, m->images, m->first);
	int result = -1;

	if (plan && plan_add_target(plan, m->job.target, JOB_NORMAL) == 0)
		result = newjob_commit(&m->job, m->series, plan);
	json_decref(plan);
	return result;
}

static void tell(const struct making *m)
{
	journal_write(&m->verb->spool, "submitted", "job", m->job.name, "target", m->job.target,
		"images", m->job.measure.images, "bytes", m->job.measure.bytes, "series",
		series_tag(m->series, "SeriesInstanceUID"), "study",
		series_tag(m->series, "StudyInstanceUID"), "accession",
		series_tag(m->series, "AccessionNumber"), "by", m->verb->by, NULL);
	(void)printf("%s: %zu image%s of series %s to %s\n", m->job.name, m->images,
		m->images == 1 ? "" : "s", series_tag(m->series, "SeriesInstanceUID"),
		m->job.target);
}

int series_send(const struct verb *verb, struct files *files, size_t first, size_t end,
	const char *target, struct await *await)
{
	struct making m = { .verb = verb, .files = files };
	int result = begin(&m, target, &files->file[first]);

	m.job.copied = true;
	for (size_t i = first; i < end && result == 0; i++) {
		const char *path = files->file[i].path;

		if (share_copy(AT_FDCWD, path, m.job.dir, copy) == 0)
			result = take_copy(&m, path);
		else if (errno == ENOENT || errno == EACCES)
			files_refuse(files, path, strerror(errno));
		else
			result = -1;
	}
	if (result == 0 && m.images > 0)
		result = commit(&m);
	if (result == 0 && m.images > 0) {
		await_add(await, m.job.name);
		tell(&m);
	} else {
		if (result < 0)
			log_error("unable to make a job for %s of series %s: %s; "
				  "none of its images is sent",
				target, files->file[first].series, strerror(errno));
		newjob_abandon(&m.job);
	}
	json_decref(m.series);
	return result < 0 ? EXIT_TEMPORARY : 0;
}
