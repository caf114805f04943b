/*
 * storescp-fclose.so: preloaded (LD_PRELOAD, ld.so(8)) into the storescp that dcmspool-association
 * starts, and into nothing else.
 *
 * storescp --bit-preserving writes an image by fwrite(3) and looks at the result; but what is left in
 * the buffer, up to a page, goes to the disk in fclose(3), whose result it ignores (DCMTK 3.6.7:
 * OFFile::fclose() in offile.cc, ~DcmFileConsumer() in dcostrmf.cc, DIMSE_storeProvider() in
 * dimstore.cc). On a full disk it would answer 0000 for an image whose end is missing.
 *
 * Here a failing fclose(3) of a file that was written ends the process at once: no answer goes out, the
 * sender keeps the image. What is on the disk of it is cut to nothing, since an image cut off between
 * two elements would look whole; getdcmtags removes the empty file. A failure that fwrite(3) has told
 * already is left to storescp, which answers A700 and deletes the file.
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

/* fd: the file; -1 when it could not be kept open, then it is walked to its end like any other of a
 * connection that broke. */
static _Noreturn void give_up(int fd, int error)
{
	const char *path = getenv("DCMSPOOL_STORESCP_LOG");
	int log = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

	if (fd >= 0 && ftruncate(fd, 0) < 0)
		error = errno;
	if (log >= 0)
		(void)dprintf(log,
			"unable to write the image being received: %s; the sender gets no answer "
			"and keeps it; make room in the spool\n",
			strerror(error)); /* else the exit status has to tell it alone */
	_exit(STATUS_FAILED);
}

int fclose(FILE *file)
{
	void *symbol = dlsym(RTLD_NEXT, "fclose");
	int (*next)(FILE *), fd = fileno(file), again = -1, result;
	bool guarded = is_image(fd) && !ferror(file);

	if (!symbol)
		_exit(STATUS_BUG);
	memcpy(&next, &symbol, sizeof(next)); /* C11 has no cast from one to the other */
	if (guarded)
		again = dup(fd); /* after a failure the original is closed, too */
	result = next(file);
	if (guarded && result != 0)
		give_up(again, errno);
	if (again >= 0)
		(void)close(again); /* the file was written and closed */
	return result;
}
