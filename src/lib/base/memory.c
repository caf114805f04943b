#define _GNU_SOURCE /* memfd_create, explicit_bzero */
#include "base/memory.h"

#include "base/disk.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0660 }; /* the kernel's choice is 0777 */

int memory_file(const char *name, const void *data, size_t length, bool inherited)
{
	int fd = memfd_create(name, inherited ? 0 : MFD_CLOEXEC), saved;

	if (fd < 0)
		return -1;
	if (fchmod(fd, FILE_MODE) == 0 && disk_write_all(fd, data, length) == 0 &&
		lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	saved = errno;
	(void)close(fd); /* an error is being reported already */
	errno = saved;
	return -1;
}

int memory_buf(const char *name, struct buf *content, bool inherited)
{
	int fd = -1, saved = ENOMEM;

	if (!content->failed) {
		fd = memory_file(name, content->data, content->length, inherited);
		saved = errno;
	}
	if (content->data)
		explicit_bzero(content->data, content->length);
	buf_free(content);
	errno = saved;
	return fd;
}

int memory_read(int fd, struct buf *out)
{
	char data[4096];
	off_t at = 0;
	ssize_t n;

	buf_puts(out, "");
	while ((n = pread(fd, data, sizeof(data), at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		buf_add(out, data, (size_t)n);
		at += n;
	}
	if (out->failed)
		errno = ENOMEM;
	return out->failed ? -1 : 0;
}

void memory_path(int fd, char path[MEMORY_PATH_SIZE])
{
	(void)snprintf(path, MEMORY_PATH_SIZE, "/proc/self/fd/%d", fd); /* fits */
}
