#include "spool/reason.h"

#include "base/disk.h"
#include "base/str.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/told.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int reason_store(int dir, const char *text, size_t length)
{
	return disk_write_file(dir, file_name(FILE_REASON), text, length);
}

/* A name for the thing in its error directory: its own, or "file" when that is not fit to be shown.
 */
static const char *fit_name(const char *name)
{
	return name_ok(name) ? name : "file";
}

/* as: its name in error/<label>/. */
static int tell(const struct spool *spool, const char *label, const char *file, const char *as,
	const char *reason, bool again)
{
	const bool is_job = job_base(label) > 0;

	return journal_write(spool, "quarantined", "job", is_job ? label : NULL, "to",
		is_job ? NULL : label, "file", file, "as", strcmp(file, as) == 0 ? NULL : as,
		"reason", reason, "again", again ? "true" : NULL, NULL);
}

int reason_tell_again(const struct spool *spool, const char *label, const char *file)
{
	return tell(spool, label, file, file, "see reason.txt, which lies with it", true);
}

int reason_quarantine_as(const struct spool *spool, int dir, const char *name, const char *as,
	const char *label, const char *reason)
{
	int error = spool->dir[SPOOL_ERROR], fd = -1, result = -1, saved;
	char made[NAME_MAX + 16];
	struct buf line = { 0 };

	buf_printf(&line, "%s: %s\n", fit_name(as), reason);
	if (line.failed) {
		errno = ENOMEM;
		goto out;
	}
	if (disk_make_dir(error, label) < 0)
		goto out;
	fd = disk_open_dir(error, label);
	if (fd < 0)
		goto out;
	/* The reason first: a line too much explains nothing wrong, a thing without a reason would.
	 */
	if (disk_append(fd, file_name(FILE_REASON), line.data, line.length) < 0 ||
		file_remove(fd, FILE_TOLD) < 0)
		goto out;
	if (disk_rename_unique(dir, name, fd, fit_name(as), made, sizeof(made)) < 0)
		goto out;
	result = fsync(fd);
	if (tell(spool, label, as, made, reason, false) == 0)
		(void)told_set(spool, fd); /* else it is told again */
out:
	saved = errno;
	if (fd >= 0)
		(void)close(fd); /* only used as a base */
	buf_free(&line);
	errno = saved;
	return result;
}

int reason_quarantine(
	const struct spool *spool, int dir, const char *name, const char *label, const char *reason)
{
	return reason_quarantine_as(spool, dir, name, name, label, reason);
}

bool reason_is_of(int dir)
{
	int fd = openat(dir, file_name(FILE_REASON),
		O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char line[NAME_MAX + 3];
	char *end;
	ssize_t n;

	if (fd < 0)
		return false;
	n = pread(fd, line, sizeof(line) - 1, 0);
	(void)close(fd); /* only read */
	line[n < 0 ? 0 : n] = '\0';
	end = strchr(line, ':');
	if (!end || end[1] != ' ')
		return false;
	*end = '\0';
	return name_ok(line) && disk_exists(dir, line) > 0;
}
