#define _GNU_SOURCE
#include "base/run.h"

#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Puts descriptor from at number to (0, 1 or 2) in the child. */
static int place(int from, int to)
{
	if (from == to) /* dup2 would leave close-on-exec as it is */
		return fcntl(to, F_SETFD, 0);
	return dup2(from, to);
}

static int die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (getppid() != parent) /* it died before the prctl */
		_exit(127);
	return 0;
}

static void reset_signals(void)
{
	sigset_t none;

	(void)signal(SIGPIPE, SIG_DFL); /* these cannot fail */
	(void)signal(SIGIO, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The child's side, between vfork and exec: its memory is ours, so it changes none of it, and only
 * calls what is async-signal-safe. Returns on failure. */
static void become(const struct run *run, char **environment, pid_t parent)
{
	int null = -1;

	if (!run->survive && die_with(parent) < 0)
		return;
	if (run->in < 0)
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (place(run->in < 0 ? null : run->in, 0) < 0)
		return;
	if (run->out >= 0 && place(run->out, 1) < 0)
		return;
	if (run->error >= 0 && place(run->error, 2) < 0)
		return;
	if (run->keep >= 0 && fcntl(run->keep, F_SETFD, 0) < 0)
		return;
	if (run->directory >= 0 && fchdir(run->directory) < 0)
		return;
	reset_signals();
	(void)execvpe(run->argv[0], (char *const *)run->argv, environment);
}

/* Is the variable of this "NAME=value" among those in more? */
static bool is_among(const char *variable, const char *const *more)
{
	size_t length = strcspn(variable, "=") + 1;

	for (; more && *more; more++)
		if (strncmp(*more, variable, length) == 0)
			return true;
	return false;
}

/* Our environment with the additions, which take the place of what has their name. */
static char **merge(const char *const *more)
{
	size_t n = 0, m = 0, count = 0;
	char **all;

	while (environ[n])
		n++;
	while (more && more[m])
		m++;
	all = malloc((n + m + 1) * sizeof(*all));
	if (!all)
		return NULL;
	for (size_t i = 0; i < m; i++)
		all[count++] = (char *)more[i];
	for (size_t i = 0; i < n; i++)
		if (!is_among(environ[i], more))
			all[count++] = environ[i];
	all[count] = NULL;
	return all;
}

/* *error: why the child could not become the program, which it writes itself. */
static pid_t start(const struct run *run, char **environment, int *error)
{
	pid_t parent = getpid();
	pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork): see run.h */

	if (pid == 0) {
		become(run, environment, parent);
		*error = errno;
		_exit(127);
	}
	if (pid < 0)
		*error = errno;
	return pid;
}

pid_t run_start(const struct run *run)
{
	char **environment = merge(run->environment);
	int error = 0;
	pid_t pid;

	if (!environment)
		return -1;
	pid = start(run, environment, &error);
	free(environment);
	if (pid > 0 && error != 0) {
		(void)waitpid(pid, NULL, 0);
		pid = -1;
	}
	errno = error;
	return pid;
}

static bool is_among_these(int fd, const int *keep, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

/* The lowest of these from fd on; UINT_MAX: there is none. */
static unsigned int next_kept(int fd, const int *keep, size_t count)
{
	unsigned int next = UINT_MAX;

	for (size_t i = 0; i < count; i++)
		if (keep[i] >= fd && (unsigned int)keep[i] < next)
			next = (unsigned int)keep[i];
	return next;
}

static int close_others(const int *keep, size_t count)
{
	for (int fd = STDERR_FILENO + 1;; fd++) {
		unsigned int next = next_kept(fd, keep, count);

		if (is_among_these(fd, keep, count))
			continue;
		if (close_range((unsigned int)fd, next == UINT_MAX ? UINT_MAX : next - 1, 0) < 0)
			return -1; /* Linux 5.9 */
		if (next == UINT_MAX)
			return 0;
		fd = (int)next;
	}
}

pid_t run_fork(const char *name, int in, const int *keep, size_t count, bool survive)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	if ((!survive && die_with(parent) < 0) || dup2(in, STDIN_FILENO) < 0 ||
		close_others(keep, count) < 0)
		_exit(127);
	reset_signals();
	(void)prctl(PR_SET_NAME, name); /* cut off at 15 bytes, as that of a program is */
	log_open(name);
	return 0;
}

int run_status(int waited)
{
	return WIFEXITED(waited) ? WEXITSTATUS(waited) : RUN_SIGNALLED + WTERMSIG(waited);
}

int run_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return run_status(status);
}

char *run_beside(const char *name)
{
	char self[4096];
	struct buf path = { 0 };
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));

	if (n <= 0 || (size_t)n >= sizeof(self))
		return NULL;
	while (n > 0 && self[n - 1] != '/')
		n--;
	buf_add(&path, self, (size_t)n);
	buf_puts(&path, name);
	if (path.failed) {
		buf_free(&path);
		errno = ENOMEM;
	}
	return path.data;
}

int run_signals(void)
{
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN); /* these cannot fail */
	(void)signal(SIGIO, SIG_IGN);   /* a lease that is broken while we hold it, fcntl(2) */
	(void)signal(SIGQUIT, SIG_DFL); /* a shell's background jobs have it ignored */
	(void)signal(SIGHUP, SIG_DFL);  /* as nohup's */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGQUIT);
	(void)sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int run_next_signal(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

int run_timer(void)
{
	return timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
}

int run_arm(int fd, int64_t deadline_us)
{
	struct itimerspec when = { 0 };

	when.it_value.tv_sec = (time_t)(deadline_us / 1000000);
	when.it_value.tv_nsec = (long)(deadline_us % 1000000) * 1000;
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) == 0)
		return 0;
	/* The clock was set since the timer was read or armed. Linux (fs/timerfd.c, 6.1) has armed
	 * it all the same. */
	return errno == ECANCELED ? RUN_CLOCK_SET : -1;
}

void run_disarm(int fd)
{
	uint64_t count;
	/* ECANCELED (the clock was set) and EAGAIN need nothing: the caller scans again anyway. */
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n;
}
