#include "sender/next.h"

#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PASSED = 2 /* the list, the directory */ };

/* The socket, or -1. What we run does not get it. */
static int next_socket(void)
{
	const char *text = getenv("DCMSPOOL_NEXT");
	long fd;

	if (!text || !*text)
		return -1;
	if (parse_long(text, 0, INT_MAX, &fd) < 0 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		die(EXIT_BUG, "unable to use DCMSPOOL_NEXT: '%s' is no descriptor", text);
	return (int)fd;
}

static void say_ready(void)
{
	static const char line[] = "ready\n";

	if (write(STDOUT_FILENO, line, sizeof(line) - 1) != (ssize_t)sizeof(line) - 1)
		die(EXIT_TEMPORARY, "unable to write an answer: %s", strerror(errno));
}

/* Receives one message: the job's name, with both descriptors. Returns false at the end. */
static bool receive(int socket, char job[NAME_MAX + 1], int fd[PASSED])
{
	union {
		char space[CMSG_SPACE(PASSED * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec text = { job, NAME_MAX };
	struct msghdr message = { .msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	const struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(socket, &message, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	job[n] = '\0';
	c = CMSG_FIRSTHDR(&message);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
		c->cmsg_len != CMSG_LEN(PASSED * sizeof(int)) || !name_ok(job))
		die(EXIT_BUG, "unable to take the next job: the message has no list and directory");
	memcpy(fd, CMSG_DATA(c), PASSED * sizeof(int));
	return true;
}

static bool take(struct sender *sender, int socket)
{
	char job[NAME_MAX + 1];
	int fd[PASSED];
	FILE *list;

	if (!receive(socket, job, fd))
		return false;
	list = fdopen(fd[0], "r");
	if (!list || fseek(list, 0, SEEK_SET) < 0 || fchdir(fd[1]) < 0 ||
		setenv("DCMSPOOL_JOB", job, 1) < 0)
		die(EXIT_TEMPORARY, "unable to take the next job: %s", strerror(errno));
	(void)close(fd[1]);         /* a directory */
	(void)sender_close(sender); /* its lines have told */
	sender_read(sender, list);
	(void)fclose(list); /* only read */
	return true;
}

enum next next_wait(struct sender *sender, int watch)
{
	struct pollfd p[] = { { .fd = next_socket(), .events = POLLIN },
		{ .fd = watch, .events = POLLIN } };

	if (p[0].fd < 0 || sender->target_failed || sender->answered < sender->count)
		return NEXT_NONE;
	if (!sender->ready)
		say_ready();
	sender->ready = true;
	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			die(EXIT_TEMPORARY, "unable to wait for the next job: %s", strerror(errno));
	if (p[0].revents)
		return take(sender, p[0].fd) ? NEXT_JOB : NEXT_NONE;
	return NEXT_INPUT;
}
