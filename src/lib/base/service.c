#define _GNU_SOURCE /* close_range, O_PATH */
#include "base/service.h"

#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char ready_name[] = "DCMSPOOL_READY", before_name[] = "DCMSPOOL_BEFORE";

static char **arguments;
static int directory = -1; /* where it was started: paths in the arguments begin there */
static int ready = -1;     /* to be told */
static int before = -1;    /* the configuration that it had before it began anew */
static int held = -1;      /* the one of now */

/* The descriptor that the environment names, no child of ours sees it there. */
static int descriptor_of(const char *name)
{
	const char *text = getenv(name);
	long number;

	if (!text || parse_long(text, STDERR_FILENO + 1, INT_MAX, &number) < 0 ||
		fcntl((int)number, F_GETFD) < 0)
		number = -1;
	(void)unsetenv(name); /* fails for names that are none */
	return (int)number;
}

void service_open(char *argv[])
{
	arguments = argv;
	(void)close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC); /* Linux 5.11 */
	ready = descriptor_of(ready_name);
	before = descriptor_of(before_name);
	/* Nobody else would stop us when our supervisor is killed, and the next one starts another.
	 */
	if (ready >= 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);          /* cannot fail */
	directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC); /* -1: see service_again() */
}

static void end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* nothing was written that could be lost */
	*fd = -1;
}

static void hold(const char *file, dev_t device, ino_t inode)
{
	struct stat st;

	held = open(file, O_RDONLY | O_CLOEXEC);
	if (held < 0)
		return; /* removed: nobody puts another in its place */
	while (flock(held, LOCK_SH) < 0 && errno == EINTR)
		;
	if (fstat(held, &st) == 0 && (st.st_dev != device || st.st_ino != inode))
		service_again();
}

void service_ready(const char *file, dev_t device, ino_t inode)
{
	ssize_t n;

	hold(file, device, inode);
	end(&before);
	if (ready < 0)
		return;
	n = write(ready, "\n", 1);
	(void)n; /* the supervisor has died: nobody waits */
	end(&ready);
}

void service_keep(int fd)
{
	(void)fcntl(fd, F_SETFD, 0); /* fails for what is no descriptor */
}

static void keep_as(const char *name, int fd)
{
	char number[16];

	if (fd < 0)
		return;
	(void)snprintf(number, sizeof(number), "%d", fd);
	if (setenv(name, number, 1) == 0) /* else it is closed: it counts as ended for a moment */
		service_keep(fd);
}

void service_again(void)
{
	int old = before >= 0 ? before : held; /* of several, the one that is waited for first */

	log_info("beginning anew");
	keep_as(before_name, old);
	keep_as(ready_name, ready);
	if (directory >= 0 && fchdir(directory) < 0)
		die(EXIT_TEMPORARY, "unable to begin anew: %s", strerror(errno));
	(void)execvp(arguments[0], arguments);
	die(EXIT_TEMPORARY, "unable to begin anew with %s: %s", arguments[0], strerror(errno));
}
