/*
 * storescp-write.so: preloaded (LD_PRELOAD, ld.so(8)) into the storescp that dcmspool-association
 * starts, and into nothing else. It ends storescp when it fails to write an image.
 *
 * What it is for, in DCMTK 3.6.7, on a full disk:
 *   fclose(3) writes what is left in the buffer, up to a page, and its result is ignored
 *     (OFFile::fclose() in offile.cc, ~DcmFileConsumer() in dcostrmf.cc, DIMSE_storeProvider() in
 *     dimstore.cc): storescp answers 0000 for an image whose end, or all of it, is missing.
 *   fwrite(3) that fails at the last part of an image is noticed, but then storescp waits for more
 *     parts until its time-out (DIMSE_receiveDataSetInFile(), DIMSE_ignoreDataSet() in dimse.cc),
 * and the sender for an answer.
 *
 * Here the process ends instead, at once and before any answer, so the sender keeps the image. What
 * the disk has of it is cut to nothing, for an image cut off between two elements would look whole;
 * getdcmtags removes the empty file.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_FAILED = 111, STATUS_BUG = 101 }; /* as log.h has them */

static bool is_image(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

/* fd: the image; -1 when it is no longer open, then it is walked to its end like any other of a
 * connection that broke. */
static _Noreturn void give_up(int fd, int error)
{
	const char *path = getenv("DCMSPOOL_STORESCP_LOG");
	int log = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

	if (fd >= 0 && ftruncate(fd, 0) < 0)
		error = errno;
	if (log >= 0) /* else the exit status has to tell it alone */
		(void)dprintf(log,
			"unable to write the image being received: %s; the connection ends "
			"without an answer to it, so the sender keeps it; make room in the spool\n",
			strerror(error));
	_exit(STATUS_FAILED);
}

/* The C library's own function, as bytes of a pointer: C11 has no cast from one to the other. */
static void find_next(const char *name, void *function, size_t size)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol)
		_exit(STATUS_BUG);
	memcpy(function, &symbol, size);
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *file)
{
	static size_t (*next)(const void *, size_t, size_t, FILE *);
	size_t written;

	if (!next)
		find_next("fwrite", &next, sizeof(next));
	written = next(data, size, count, file);
	if (written < count && is_image(fileno(file)))
		give_up(fileno(file), errno);
	return written;
}

int fclose(FILE *file)
{
	static int (*next)(FILE *);
	int fd = fileno(file), again = -1, result;
	bool image = is_image(fd);

	if (!next)
		find_next("fclose", &next, sizeof(next));
	if (image)
		again = dup(fd); /* after a failure the original is closed all the same */
	result = next(file);
	if (image && result != 0)
		give_up(again, errno);
	if (again >= 0)
		(void)close(again); /* closing the original has told what there was to tell */
	return result;
}
