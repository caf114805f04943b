#define _GNU_SOURCE /* F_OFD_SETLK, pipe2 */
#include "chain.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/run.h"
#include "base/str.h"
#include "claim.h"
#include "conf/target.h"
#include "dispatcher.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A chain ends after so many jobs or so long, so that a target sees an association end now and
 * then; a release that takes longer than RELEASE_MS is cut off. As many places in .idle as
 * max_connections can be. */
enum { JOBS_MAX = 100, CHAIN_MS = 30000, RELEASE_MS = 5000, IDLE_PLACES = 64 };

static const char socket_variable[] = "DCMSPOOL_NEXT";

static void forget(struct chain *chain)
{
	if (chain->out >= 0)
		(void)close(chain->out); /* only read */
	if (chain->next >= 0)
		(void)close(chain->next);
	if (chain->idle >= 0)
		(void)close(chain->idle); /* releases the lock */
	*chain = (struct chain){ .out = -1, .next = -1, .idle = -1 };
}

bool chain_has_ended(const struct chain *chain)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)chain->pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 &&
	       info.si_pid == chain->pid;
}

void chain_stop(const struct chain *chain)
{
	if (!chain_has_ended(chain))
		(void)kill(chain->pid, SIGTERM);
}

int chain_kill(struct dispatcher *d)
{
	int status;

	if (!chain_has_ended(&d->chain))
		(void)kill(d->chain.pid, SIGKILL);
	status = run_wait(d->chain.pid);
	d->loop.child_ended = false;
	forget(&d->chain);
	return status;
}

void chain_end(struct dispatcher *d)
{
	struct pollfd signals = { .fd = d->loop.signals, .events = POLLIN };
	int64_t deadline_ms = clock_monotonic_ms() + RELEASE_MS;
	int left_ms;

	if (d->chain.pid <= 0)
		return;
	(void)close(d->chain.next);
	d->chain.next = -1;
	while (!chain_has_ended(&d->chain) && (left_ms = clock_left_ms(deadline_ms)) > 0)
		if (poll(&signals, 1, left_ms) > 0)
			loop_take_signals(&d->loop); /* SIGCHLD is among them */
	(void)chain_kill(d);                         /* whatever it ended with says nothing more */
}

/* Starts the program, which inherits its end of the socket (-1: none). */
static pid_t start(const struct claimed *job, int list, int out, int socket)
{
	char **environment = target_environment(job->target, job->job), number[16];
	char *path = target_program(job->target);
	const char *argv[] = { path, list < 0 ? "-p" : NULL, NULL };
	struct run run = RUN_DEFAULT;
	pid_t pid = -1;
	int saved;

	(void)snprintf(number, sizeof(number), "%d", socket);
	if (path && environment &&
		(socket < 0 || setenv(socket_variable, number, 1) == 0)) { /* merged into its own */
		run.argv = argv;
		run.environment = (const char *const *)environment;
		run.in = list;
		run.out = out;
		run.keep = socket;
		run.directory = claimed_images(job);
		pid = run_start(&run);
	}
	saved = errno;
	if (pid < 0)
		log_error("unable to start %s: %s target=%s", path ? path : "the sender",
			strerror(errno), job->target->name);
	(void)unsetenv(socket_variable);
	free(path);
	target_environment_free(environment);
	errno = saved;
	return pid;
}

int chain_start(struct dispatcher *d, const struct claimed *job, int list)
{
	int out[2], next[2] = { -1, -1 }, saved;

	chain_end(d);
	if (pipe2(out, O_CLOEXEC) < 0)
		return -1;
	/* Without a socket it is a sender for one job. */
	if (list >= 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, next) < 0)
		next[0] = next[1] = -1;
	d->chain = (struct chain){ .out = out[0],
		.next = next[0],
		.idle = -1,
		.jobs = 1,
		.until_ms = clock_monotonic_ms() + CHAIN_MS };
	d->chain.pid = start(job, list, out[1], next[1]);
	saved = errno;
	(void)close(out[1]); /* the sender's end; ours would hide its end of file */
	if (next[1] >= 0)
		(void)close(next[1]);
	if (d->chain.pid < 0)
		forget(&d->chain);
	errno = saved;
	return d->chain.pid > 0 ? 0 : -1;
}

/* Locks or tests one place of .idle (length 0: all from there). OFD locks belong to the open file,
 * and end with it. */
static int place(int fd, int command, short type, off_t start, off_t length, bool *is_free)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length
	};
	int result = fcntl(fd, command, &lock);

	if (is_free)
		*is_free = lock.l_type == F_UNLCK;
	return result;
}

static int open_idle(const struct dispatcher *d)
{
	return openat(d->spool.dir[SPOOL_ROOT], file_name(FILE_IDLE),
		O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
}

/* The first place of a target. Two that share theirs would only wait for each other. */
static off_t first_place(const struct conf_target *target)
{
	return (off_t)str_hash(target->name) * IDLE_PLACES;
}

void chain_keep(struct dispatcher *d, const struct claimed *job)
{
	struct chain *chain = &d->chain;
	off_t i = first_place(job->target), end = i + IDLE_PLACES;

	if (job->images >= 0) { /* it stays in sending/ */
		chain->target = job->target;
		return;
	}
	if (chain->idle < 0)
		chain->idle = open_idle(d);
	while (i < end && place(chain->idle, F_OFD_SETLK, F_WRLCK, i, 1, NULL) < 0)
		i = errno == EAGAIN ? i + 1 : end;
	if (i < end)
		chain->target = job->target;
	else
		chain_end(d); /* nobody would know of its connection */
}

/* One that has ended, or says something unasked, gets no job. */
static bool is_well(const struct chain *chain, const struct claimed *job)
{
	struct pollfd out = { .fd = chain->out, .events = POLLIN };
	bool more = chain->jobs < JOBS_MAX && clock_left_ms(chain->until_ms) > 0;

	return (more || job->images >= 0) && poll(&out, 1, 0) == 0;
}

static bool send_job(int socket, const struct claimed *job, int list)
{
	int fd[] = { list, claimed_images(job) };
	union {
		char space[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec name = { (void *)job->job, strlen(job->job) };
	struct msghdr message = { .msg_iov = &name,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) == (ssize_t)name.iov_len;
}

bool chain_hand(struct dispatcher *d, const struct claimed *job, int list)
{
	struct chain *chain = &d->chain;

	if (chain->target != job->target || !is_well(chain, job) ||
		!send_job(chain->next, job, list)) {
		chain_end(d);
		return false;
	}
	chain->target = NULL;
	chain->jobs += job->images < 0; /* of a batch they are many */
	if (chain->idle >= 0)
		(void)place(chain->idle, F_OFD_SETLK, F_UNLCK, 0, 0, NULL); /* what is locked */
	return true;
}

long chain_others(const struct dispatcher *d, const struct conf_target *target)
{
	off_t first = first_place(target);
	bool own = d->chain.target == target, is_free = true;
	int fd = own ? d->chain.idle : open_idle(d);
	long n = 0;

	/* What cannot be looked at is nobody's. */
	if (place(fd, F_OFD_GETLK, F_WRLCK, first, IDLE_PLACES, &is_free) == 0 && !is_free)
		for (off_t i = first; i < first + IDLE_PLACES; i++)
			n += place(fd, F_OFD_GETLK, F_WRLCK, i, 1, &is_free) == 0 && !is_free;
	if (!own && fd >= 0)
		(void)close(fd); /* only asked */
	return n;
}
