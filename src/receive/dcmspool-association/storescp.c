#include "storescp.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/run.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* SILENCE_S: longer than what storescp is told to wait for the sender, which it ends politely. */
enum { ACSE_TIMEOUT_S = 30, SILENCE_S = 30, SETTING_SIZE = MEMORY_PATH_SIZE + 32 };

static int memory(const char *name, const char *text)
{
	return memory_file(name, text, strlen(text), true);
}

/* DCMTK's logger (oflog, a log4cplus) writes warnings and errors to the pipe. */
static int log_file(int pipe)
{
	char text[512], path[MEMORY_PATH_SIZE];

	memory_path(pipe, path);
	(void)snprintf(text, sizeof(text),
		"log4cplus.rootLogger = WARN, pipe\n"
		"log4cplus.appender.pipe = log4cplus::FileAppender\n"
		"log4cplus.appender.pipe.File = %s\n"
		"log4cplus.appender.pipe.ImmediateFlush = true\n"
		"log4cplus.appender.pipe.layout = log4cplus::PatternLayout\n"
		"log4cplus.appender.pipe.layout.ConversionPattern = %%m%%n\n",
		path); /* fits */
	return memory("log", text);
}

/* DCMDICTPATH=<our small dictionary>, or NULL when it is not there: then DCMTK's own is used. */
static char *dictionary(void)
{
	char *path = run_beside("storescp.dic");
	struct buf b = { 0 };

	if (path && access(path, R_OK) == 0)
		buf_printf(&b, "DCMDICTPATH=%s", path);
	free(path);
	if (b.failed)
		buf_free(&b);
	return b.data;
}

/* storescp-write.so, opened to be inherited, or -1. Without it storescp would answer 0000 for
 * images that a full disk has cut off. By its descriptor, because a path may hold a space or a
 * colon, which separate the entries of LD_PRELOAD. */
static int open_guard(void)
{
	char *path = run_beside("storescp-write.so");
	int fd = path ? open(path, O_RDONLY) : -1;

	if (fd < 0)
		log_error("unable to open %s: %s; no image is received without it: install "
			  "dcmspool again",
			path ? path : "storescp-write.so", strerror(errno));
	free(path);
	/* ld.so(8) takes the last of two, and merged environments have ours first. */
	if (fd >= 0)
		(void)unsetenv("LD_PRELOAD"); /* its name is valid */
	return fd;
}

/* On a local socket (relay.h, stunnel's) DCMTK takes the failure of this option for one of the
 * connection (3.6.7, dul.cc, receiveTransportConnectionTCP()). */
static const char *no_delay(int socket)
{
	socklen_t length = sizeof(int);
	int on;

	return getsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, &length) == 0 ? "TCP_NODELAY=1"
									       : "TCP_NODELAY=0";
}

static pid_t start(
	const struct association *a, int socket, int profile, int log, int guard, int pipe)
{
	char profile_path[MEMORY_PATH_SIZE], log_path[MEMORY_PATH_SIZE], timeout[24], acse[24];
	const char *argv[] = { "storescp", "--inetd", "--bit-preserving", "--unique-filenames",
		"--disable-host-lookup", "--max-pdu", "131072", "--acse-timeout", acse,
		"--dimse-timeout", timeout, "--socket-timeout", timeout, "--log-config", log_path,
		"--config-file", profile_path, "A", NULL };
	char *dict = dictionary();
	char preload[SETTING_SIZE], messages[SETTING_SIZE], silence[SETTING_SIZE];
	const char *environment[] = { no_delay(socket), preload, messages, silence, dict, NULL };
	struct run run = RUN_DEFAULT;
	pid_t pid;

	memory_path(profile, profile_path);
	memory_path(log, log_path);
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=/proc/self/fd/%d", guard);
	(void)snprintf(messages, sizeof(messages), "DCMSPOOL_STORESCP_LOG=/proc/self/fd/%d", pipe);
	(void)snprintf(silence, sizeof(silence), "DCMSPOOL_STORESCP_SILENCE=%ld",
		a->conf->receiver.dimse_timeout_s + SILENCE_S);
	(void)snprintf(acse, sizeof(acse), "%d", ACSE_TIMEOUT_S);
	(void)snprintf(timeout, sizeof(timeout), "%ld", a->conf->receiver.dimse_timeout_s);
	run.argv = argv;
	run.environment = environment;
	run.in = socket;
	run.keep = a->dir;
	run.directory = a->dir;
	pid = run_start(&run);
	free(dict);
	return pid;
}

pid_t storescp_start(const struct association *a, int socket, const char *profile, int *log)
{
	int ends[2] = { -1, -1 }, config = -1, saved;
	int rules = memory("profile", profile), guard = open_guard();
	pid_t pid = -1;

	/* Only the writing end is inherited: when all writers have gone, we read the end. */
	if (rules >= 0 && guard >= 0 && pipe(ends) == 0 &&
		fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
		fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 && (config = log_file(ends[1])) >= 0)
		pid = start(a, socket, rules, config, guard, ends[1]);
	saved = errno;
	for (int i = 0; i < 5; i++) {
		int fd = (int[]){ rules, config, guard, ends[1], pid < 0 ? ends[0] : -1 }[i];

		if (fd >= 0)
			(void)close(fd); /* the child has its own; nothing was buffered */
	}
	*log = pid < 0 ? -1 : ends[0];
	errno = saved;
	return pid;
}
