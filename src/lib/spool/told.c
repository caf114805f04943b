#define _GNU_SOURCE /* mknodat, S_IFREG */
#include "spool/told.h"

#include "spool/file.h"

#include <errno.h>
#include <sys/stat.h>

int told_is(int dir)
{
	return file_exists(dir, FILE_TOLD);
}

int told_set(int dir)
{
	/* mknod(2) makes the file without opening it: no close event wakes anybody */
	return mknodat(dir, file_name(FILE_TOLD), S_IFREG | 0660, 0) == 0 || errno == EEXIST ? 0
											     : -1;
}
