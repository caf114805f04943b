#define _GNU_SOURCE /* F_OFD_SETLK */
#include "spool/places.h"

#include "base/str.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>

int places_open(const struct spool *spool)
{
	return openat(spool->dir[SPOOL_ROOT], file_name(FILE_PLACES),
		O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
}

int places_take(int places, const char *name, long count)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	off_t first = (off_t)str_hash(name) * PLACES_MAX;

	/* The lowest one that is free: so a smaller count holds as soon as those above have gone.
	 */
	for (long i = 0; i < count; i++) {
		lock.l_start = first + i;
		if (fcntl(places, F_OFD_SETLK, &lock) == 0)
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return -1;
	}
	errno = EAGAIN;
	return -1;
}
