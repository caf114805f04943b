#define _GNU_SOURCE /* memfd_create */
#include "parked.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/run.h"
#include "base/str.h"
#include "storescp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* TAKE_S: how long one that waits may need to take a connection; it forks for each in turn. */
enum { TAKE_S = 5, PAUSE_MIN_MS = 1000, PAUSE_MAX_MS = 300000 };

static void let_go(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* a socket, or a file in memory that was read */
	*fd = -1;
}

static void forget(struct parked *p)
{
	p->waits = false;
	p->pid = -1;
	let_go(&p->command);
	let_go(&p->log);
	for (int i = 0; i < PARKED_FILES; i++) {
		free(p->file[i].path);
		p->file[i].path = NULL;
	}
}

/* What it said, as part of one line; "" when nothing. The caller frees out. */
static const char *said(const struct parked *p, struct buf *out)
{
	if (p->log < 0 || memory_read(p->log, out) < 0 || !out->data)
		return "";
	out->data[strcspn(out->data, "\n")] = '\0';
	return out->data;
}

/* The next one is started after a pause that grows. */
static void not_waiting(struct parked *p, const char *why)
{
	log_error("unable to have a storescp wait for connections: %s; each gets one of its own",
		why);
	forget(p);
	p->start_ms = clock_monotonic_ms() + p->pause_ms;
	p->pause_ms = p->pause_ms * 2 < PAUSE_MAX_MS ? p->pause_ms * 2 : PAUSE_MAX_MS;
}

/* Whoever hands over waits for a full queue, but not for one that stands still. */
static int make_command(int ends[2])
{
	const struct timeval patience = { .tv_sec = TAKE_S };

	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ||
			       setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &patience,
				       sizeof(patience)) < 0
		       ? -1
		       : 0;
}

static void start(struct parked *p)
{
	int ends[2] = { -1, -1 };

	if (clock_left_ms(p->start_ms) > 0)
		return;
	p->log = memory_file("storescp.log", "", 0, true);
	if (p->log >= 0 && make_command(ends) == 0)
		p->pid = storescp_start_waiting(p->conf, ends[1], p->log);
	p->command = ends[0];
	if (p->pid < 0)
		not_waiting(p, strerror(errno));
	else /* only it has it under its number */
		(void)fcntl(p->log, F_SETFD, FD_CLOEXEC);
	let_go(&ends[1]);
}

/* The path of a mapped file whose name begins so; NULL: none, or it is there no more. */
static char *mapped(pid_t pid, const char *name)
{
	static const char deleted[] = " (deleted)";
	char maps[64], *line = NULL, *found = NULL;
	size_t size = 0;
	FILE *file;

	(void)snprintf(maps, sizeof(maps), "/proc/%ld/maps", (long)pid); /* fits */
	file = fopen(maps, "re");
	while (file && !found && getline(&line, &size, file) > 0) {
		char *path = strchr(line, '/'), *last = path ? strrchr(path, '/') : NULL;

		line[strcspn(line, "\n")] = '\0';
		if (!last || strncmp(last + 1, name, strlen(name)) != 0)
			continue;
		if (strlen(path) > sizeof(deleted) &&
			strcmp(path + strlen(path) - strlen(deleted), deleted) == 0)
			break;
		found = strdup(path);
	}
	free(line);
	if (file)
		(void)fclose(file); /* only read from */
	return found;
}

/* Notes which files it runs. Asked twice, since one may be replaced in between. */
static bool note_files(struct parked *p)
{
	static const char *const name[PARKED_FILES] = { "storescp", "libdcmnet.so" };

	for (int i = 0; i < PARKED_FILES; i++) {
		struct parked_file *file = &p->file[i];
		char *again;
		bool same;

		file->path = mapped(p->pid, name[i]);
		if (!file->path || stat(file->path, &file->st) < 0)
			return false;
		again = mapped(p->pid, name[i]);
		same = again && strcmp(again, file->path) == 0;
		free(again);
		if (!same)
			return false;
	}
	return true;
}

static bool is_of_now(const struct parked *p)
{
	struct stat st;

	for (int i = 0; i < PARKED_FILES; i++) {
		const struct stat *then = &p->file[i].st;

		if (stat(p->file[i].path, &st) < 0 || st.st_dev != then->st_dev ||
			st.st_ino != then->st_ino || st.st_mtim.tv_sec != then->st_mtim.tv_sec ||
			st.st_mtim.tv_nsec != then->st_mtim.tv_nsec)
			return false;
	}
	return true;
}

void parked_turn(struct parked *p)
{
	char byte;
	ssize_t n = recv(p->command, &byte, 1, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* it ends: parked_ended() tells */
		p->waits = false;
		let_go(&p->command);
	} else if (note_files(p)) {
		log_info("a storescp waits for connections");
		p->waits = true;
		p->pause_ms = PAUSE_MIN_MS;
	} else {
		not_waiting(p, "its files cannot be told, or were replaced meanwhile");
	}
}

int parked_command(struct parked *p)
{
	if (p->waits && !is_of_now(p)) {
		log_info("DCMTK was replaced: another storescp will wait for connections");
		forget(p);
		p->start_ms = 0;
	}
	if (p->pid < 0)
		start(p);
	return p->waits ? p->command : -1;
}

bool parked_ended(struct parked *p, pid_t pid, int status)
{
	struct buf words = { 0 };
	const char *text;
	char why[256];

	if (pid != p->pid)
		return false;
	text = said(p, &words);
	(void)snprintf(why, sizeof(why), "it ended with status %d%s%s", run_status(status),
		*text ? ": " : "", text); /* or is cut */
	buf_free(&words);
	not_waiting(p, why);
	return true;
}

void parked_open(struct parked *p, const struct conf_receiver *conf)
{
	*p = (struct parked){
		.conf = conf, .pid = -1, .command = -1, .log = -1, .pause_ms = PAUSE_MIN_MS
	};
	start(p);
}

static int send_record(int command, const int handed[PARKED_HANDED])
{
	union {
		char bytes[CMSG_SPACE(PARKED_HANDED * sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	ssize_t n;

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(PARKED_HANDED * sizeof(int));
	memcpy(CMSG_DATA(head), handed, PARKED_HANDED * sizeof(int));
	do
		n = sendmsg(command, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

/* The pid of who has taken the record, or -1. After that nobody will: what it says is refused. */
static pid_t wait_for_pid(int life)
{
	struct pollfd polled = { .fd = life, .events = POLLIN };
	const int64_t late_ms = clock_monotonic_ms() + TAKE_S * INT64_C(1000);
	pid_t pid;

	while (poll(&polled, 1, (int)clock_left_ms(late_ms)) < 0 && errno == EINTR)
		;
	if (polled.revents == 0)
		(void)shutdown(life, SHUT_RD); /* what is there already can still be read */
	return recv(life, &pid, sizeof(pid), MSG_DONTWAIT) == (ssize_t)sizeof(pid) ? pid : -1;
}

pid_t parked_hand_over(int command, int handed[PARKED_HANDED], int *life)
{
	int ends[2];
	pid_t pid = -1;

	*life = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	handed[PARKED_LIFE] = ends[1];
	if (send_record(command, handed) == 0) {
		(void)close(ends[1]); /* else its end would never come */
		ends[1] = -1;
		pid = wait_for_pid(ends[0]);
	}
	let_go(&ends[1]);
	if (pid < 0)
		let_go(&ends[0]);
	*life = ends[0];
	return pid;
}

void parked_kill(int life)
{
	(void)shutdown(life, SHUT_WR); /* wakes O_ASYNC's owner at the other end, Linux 6.1 */
}
