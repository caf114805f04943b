#include "storescp.h"

#include "base/log.h"
#include "base/memory.h"
#include "base/run.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* SILENCE_S: longer than what storescp is told to wait for the sender, which it ends politely. */
enum { ACSE_TIMEOUT_S = 30, SILENCE_S = 30, SETTING_SIZE = MEMORY_PATH_SIZE + 32 };

/* DCMTK's logger (oflog, a log4cplus) writes warnings and errors there. */
static int log_file(int log)
{
	char text[512], path[MEMORY_PATH_SIZE];

	memory_path(log, path);
	(void)snprintf(text, sizeof(text),
		"log4cplus.rootLogger = WARN, pipe\n"
		"log4cplus.appender.pipe = log4cplus::FileAppender\n"
		"log4cplus.appender.pipe.File = %s\n"
		"log4cplus.appender.pipe.ImmediateFlush = true\n"
		"log4cplus.appender.pipe.layout = log4cplus::PatternLayout\n"
		"log4cplus.appender.pipe.layout.ConversionPattern = %%m%%n\n",
		path); /* fits */
	return memory_file("log", text, strlen(text), true);
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

/* profile -1: it waits for one. */
struct start {
	const struct conf_receiver *conf;
	int in, directory, profile, log;
	int guard, log_config; /* inherited, as profile and log are */
};

static pid_t run(const struct start *s)
{
	char profile[MEMORY_PATH_SIZE] = STORESCP_WAITING_PROFILE, log[MEMORY_PATH_SIZE];
	char preload[SETTING_SIZE], messages[SETTING_SIZE], silence[SETTING_SIZE];
	char waits[SETTING_SIZE], timeout[24], acse[24];
	const char *argv[] = { "storescp", "--inetd", "--bit-preserving", "--unique-filenames",
		"--disable-host-lookup", "--max-pdu", "131072", "--acse-timeout", acse,
		"--dimse-timeout", timeout, "--socket-timeout", timeout, "--log-config", log,
		"--config-file", profile, "A", NULL };
	char *dict = dictionary();
	const char *environment[] = { preload, messages, silence, waits, dict, NULL };
	struct run run = RUN_DEFAULT;
	pid_t pid;

	if (s->profile >= 0)
		memory_path(s->profile, profile);
	memory_path(s->log_config, log);
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=/proc/self/fd/%d", s->guard);
	(void)snprintf(waits, sizeof(waits), STORESCP_WAITS "=%d", s->profile < 0);
	(void)snprintf(messages, sizeof(messages), STORESCP_LOG "=%d", s->log);
	(void)snprintf(silence, sizeof(silence), "DCMSPOOL_STORESCP_SILENCE=%ld",
		s->conf->dimse_timeout_s + SILENCE_S);
	(void)snprintf(acse, sizeof(acse), "%d", ACSE_TIMEOUT_S);
	(void)snprintf(timeout, sizeof(timeout), "%ld", s->conf->dimse_timeout_s);
	run.argv = argv;
	run.environment = environment;
	run.in = s->in;
	run.keep = s->directory;
	run.directory = s->directory;
	pid = run_start(&run);
	free(dict);
	return pid;
}

static pid_t start(struct start *s)
{
	pid_t pid = -1;
	int saved;

	s->guard = open_guard();
	s->log_config = s->guard < 0 ? -1 : log_file(s->log);
	if (s->log_config >= 0)
		pid = run(s);
	saved = errno;
	if (s->log_config >= 0)
		(void)close(s->log_config); /* the child has both */
	if (s->guard >= 0)
		(void)close(s->guard);
	errno = saved;
	return pid;
}

pid_t storescp_start(
	const struct conf_receiver *conf, int directory, int connection, int profile, int log)
{
	struct start s = { .conf = conf,
		.in = connection,
		.directory = directory,
		.profile = profile,
		.log = log };

	return start(&s);
}

pid_t storescp_start_waiting(const struct conf_receiver *conf, int command, int log)
{
	struct start s = {
		.conf = conf, .in = command, .directory = -1, .profile = -1, .log = log
	};

	return start(&s);
}
