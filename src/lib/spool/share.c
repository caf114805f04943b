#include "spool/share.h"

#include "base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Has no right name before it is whole: what exists under its name is believed after a crash. */
static const char temporary[] = ".new.copy";

static int copy_as(int from, const char *name, int to, const char *as)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), out = -1, result = -1,
	    saved;

	if (in < 0)
		return -1;
	out = openat(to, as, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
	if (out >= 0 && disk_copy(in, 0, out) == 0)
		result = 0;
	saved = errno;
	(void)close(in); /* only read */
	if (out >= 0 && close(out) < 0)
		return -1;
	errno = saved;
	return result;
}

int share_begin(int to)
{
	return disk_unlink(to, temporary);
}

int share_copy(int from, const char *name, int to, const char *as)
{
	int saved;

	if (copy_as(from, name, to, temporary) == 0 && disk_rename(to, temporary, to, as) == 0)
		return 0;
	saved = errno;
	(void)disk_unlink(to, temporary); /* else share_begin() */
	errno = saved;
	return -1;
}

int share_file(int from, int to, const char *name)
{
	if (linkat(from, name, to, name, 0) == 0 || errno == EEXIST)
		return 0;
	if (errno != EPERM && errno != EMLINK && errno != EXDEV)
		return -1;
	return share_copy(from, name, to, name) < 0 ? -1 : 1;
}
