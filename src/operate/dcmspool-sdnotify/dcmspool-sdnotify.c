/*
 * dcmspool-sdnotify: tells systemd what `dcmspool up` is about, by the protocol of sd_notify(3);
 * see dcmspool-sdnotify(8).
 *
 * systemd finds the unit by the sender's process, so that must live until the message was read: a
 * second message takes the end of a pipe along, which systemd closes then (BARRIER=1).
 */
#define _GNU_SOURCE /* pipe2, optind */
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BARRIER_MS = 5000 };

static const char usage[] = "usage: dcmspool-sdnotify VARIABLE=VALUE ...";

/* "@name" is one of Linux' abstract names, which begin with a zero byte. -1 with errno. */
static int dial(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(name);
	int fd;

	if (length >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, name, length);
	if (*name == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0) {
		int saved = errno;

		(void)close(fd); /* an error is being reported */
		errno = saved;
		return -1;
	}
	return fd;
}

static void wait_until_read(int fd)
{
	static char text[] = "BARRIER=1";
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = text, .iov_len = strlen(text) };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int ends[2];
	struct pollfd closed;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return; /* it may be read all the same */
	*header = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))
	};
	memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
	closed = (struct pollfd){ .fd = ends[0] };
	if (sendmsg(fd, &message, MSG_NOSIGNAL) >= 0) {
		(void)close(ends[1]); /* it is on its way */
		(void)poll(&closed, 1, BARRIER_MS);
	}
}

int main(int argc, char *argv[])
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct buf text = { 0 };
	int fd, letter;

	log_open(argv[0]);
	opterr = 0;
	while ((letter = getopt(argc, argv, "+h")) != -1) {
		if (letter != 'h')
			die(EXIT_PERMANENT, "unknown option -%c; %s", optopt, usage);
		(void)puts(usage); /* checked by output_flush() */
		output_flush();
		return 0;
	}
	for (int i = optind; i < argc; i++) {
		if (!strchr(argv[i], '='))
			die(EXIT_PERMANENT, "%s is no VARIABLE=VALUE; %s", argv[i], usage);
		buf_printf(&text, "%s%s", text.length ? "\n" : "", argv[i]);
	}
	if (!text.length)
		die(EXIT_PERMANENT, "VARIABLE=VALUE is missing; %s", usage);
	if (!name || !*name)
		return 0; /* nobody wants to know */
	if (text.failed)
		die(EXIT_TEMPORARY, "out of memory");
	fd = dial(name);
	if (fd < 0 || send(fd, text.data, text.length, MSG_NOSIGNAL) < 0)
		die(EXIT_TEMPORARY, "unable to tell %s: %s", name, strerror(errno));
	wait_until_read(fd);
	return 0;
}
