/*
 * The storescp that waits (lib/receive/parked.h): started once, it has everything behind it that
 * costs, ld.so, OpenSSL, options, and opens its profile, as DCMTK 3.6.7 does next
 * (DcmAssociationConfigurationFile::initialize() in dcasccff.cc). That fopen(3) does not return
 * here: it waits, asleep, for connections, and forks for each. In the child it returns, the profile
 * of this one association, and from there on the child is any `storescp --inetd`: it works in the
 * association's directory, whose lock it shares, and its connection and its log are where DCMTK
 * expects them: 3.6.7 has made a duplicate of standard input, and opened its log file.
 *
 * The child is tied to whoever handed the connection over by LIFE: the kernel kills it when that
 * end closes. What it says there is in parked.h.
 */
#define _GNU_SOURCE /* F_SETSIG, on_exit */
#include "guard.h"

#include "receive/parked.h"
#include "receive/storescp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DESCRIPTORS = 64 }; /* DCMTK has opened five by then */

static int command = -1;       /* where connections come from; -1: it has its own */
static int connection_at = -1; /* where DCMTK has its connection, and its log */
static int log_at = -1;
static int life = -1;

bool park_is_asked(void)
{
	const char *waits = getenv(STORESCP_WAITS);

	if (!waits || strcmp(waits, "1") != 0)
		return false;
	command = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (command < 0)
		_exit(GUARD_FAILED);
	return true;
}

void park_tell(int status)
{
	const unsigned char byte = (unsigned char)status;
	ssize_t n = life < 0 ? 0 : send(life, &byte, sizeof(byte), MSG_NOSIGNAL);

	(void)n; /* nobody is there to be told */
}

/* main() has returned, and every image is closed. What is left are destructors. */
static void ended(int status, void *unused)
{
	(void)unused;
	park_tell(status);
	_exit(status);
}

/* The other descriptor of the same thing. */
static int twin(int fd)
{
	struct stat st, other;

	if (fstat(fd, &st) < 0)
		return -1;
	for (int i = STDERR_FILENO + 1; i < DESCRIPTORS; i++)
		if (i != fd && fstat(i, &other) == 0 && st.st_dev == other.st_dev &&
			st.st_ino == other.st_ino)
			return i;
	return -1;
}

static void close_all(const int *fd, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)close(fd[i]); /* the child, or whoever handed them over, has its own */
}

/* The next connection. False: nobody is left who could hand one over. */
static bool receive(int handed[PARKED_HANDED])
{
	union {
		char bytes[CMSG_SPACE(PARKED_HANDED * sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };

	for (;;) {
		struct msghdr message = { .msg_iov = &data,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes) };
		ssize_t n = recvmsg(command, &message, MSG_CMSG_CLOEXEC);
		const struct cmsghdr *head;
		size_t count;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		head = CMSG_FIRSTHDR(&message);
		if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(handed, CMSG_DATA(head), count * sizeof(int));
		if (count == PARKED_HANDED)
			return true;
		close_all(handed, count); /* no descriptors are left: LIFE closes, and says so */
	}
}

/* The child's side. Everything that can fail comes before it says that it has the connection. */
static FILE *move_in(const int handed[PARKED_HANDED])
{
	const pid_t self = getpid();
	FILE *profile = fdopen(handed[PARKED_PROFILE], "rb");
	char byte;

	life = handed[PARKED_LIFE];
	(void)close(command); /* a socket */
	(void)signal(SIGCHLD, SIG_DFL);
	if (!profile || fchdir(handed[PARKED_DIRECTORY]) < 0 ||
		dup2(handed[PARKED_CONNECTION], connection_at) < 0 ||
		dup2(handed[PARKED_LOG], log_at) < 0 || dup2(handed[PARKED_LOG], guard_log) < 0 ||
		on_exit(ended, NULL) != 0 || fcntl(life, F_SETOWN, self) < 0 ||
		fcntl(life, F_SETSIG, SIGKILL) < 0 || fcntl(life, F_SETFL, O_ASYNC) < 0)
		_exit(GUARD_FAILED);
	/* Who has gone before we were tied to him kills nobody. */
	if (recv(life, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) == 0 ||
		send(life, &self, sizeof(self), MSG_NOSIGNAL) != sizeof(self))
		_exit(GUARD_FAILED);
	(void)close(handed[PARKED_CONNECTION]); /* these have their places */
	(void)close(handed[PARKED_LOG]);
	guard_begin(connection_at);
	return profile;
}

static FILE *wait_for_connections(void)
{
	int handed[PARKED_HANDED];

	connection_at = twin(command);
	log_at = twin(guard_log);
	if (connection_at < 0 || log_at < 0)
		_exit(GUARD_BUG);       /* not the DCMTK that this was written for */
	(void)signal(SIGCHLD, SIG_IGN); /* the kernel reaps */
	if (send(command, "", 1, MSG_NOSIGNAL) != 1)
		_exit(0);
	while (receive(handed)) {
		if (fork() == 0)
			return move_in(handed);
		close_all(handed, PARKED_HANDED); /* no child: LIFE closes without a word */
	}
	_exit(0);
}

FILE *fopen(const char *path, const char *mode)
{
	static FILE *(*next)(const char *, const char *);

	if (command >= 0 && strcmp(path, STORESCP_WAITING_PROFILE) == 0)
		return wait_for_connections();
	if (!next)
		guard_find_next("fopen", &next, sizeof(next));
	return next(path, mode);
}
