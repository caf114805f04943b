#define _GNU_SOURCE /* mknodat, S_IFREG */
#include "spool/told.h"

#include "spool/file.h"
#include "spool/journal.h"

#include <errno.h>
#include <sys/stat.h>

int told_is(int dir)
{
	return file_exists(dir, FILE_TOLD);
}

int told_set(const struct spool *spool, int dir)
{
	if (journal_sync(spool) < 0)
		return -1;
	/* mknod(2) makes the file without opening it: no close event wakes anybody */
	return mknodat(dir, file_name(FILE_TOLD), S_IFREG | 0660, 0) == 0 || errno == EEXIST ? 0
											     : -1;
}
