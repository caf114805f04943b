#define _GNU_SOURCE /* memfd_create, pipe2 */
#include "tool.h"

#include "base/log.h"
#include "base/run.h"
#include "sender/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SETTING_SIZE = 96 };

int tool_arguments(struct tool_arguments *a, const char *program, size_t more)
{
	a->argv = calloc(TOOL_ARGUMENTS + more + 1, sizeof(*a->argv));
	a->count = 0;
	if (!a->argv)
		return -1;
	tool_add(a, program);
	/* LC_ALL=C is set, and the log configuration is our standard input. */
	tool_add(a, "--log-config");
	tool_add(a, "/proc/self/fd/0");
	return 0;
}

void tool_add(struct tool_arguments *a, const char *argument)
{
	a->argv[a->count++] = argument;
}

void tool_add_list(struct tool_arguments *a, const char *const *list)
{
	while (*list)
		tool_add(a, *list++);
}

void tool_add_peer(struct tool_arguments *a, const struct peer *peer)
{
	const char *const list[] = { "--max-pdu", peer->max_pdu, "--timeout", peer->timeout,
		"--acse-timeout", peer->timeout, "--dimse-timeout", peer->timeout, "--aetitle",
		peer->aet, "--call", peer->aec, NULL };

	tool_add_list(a, list);
}

void tool_add_send_pdu(
	struct tool_arguments *a, const struct peer *peer, char out[TOOL_NUMBER_SIZE])
{
	enum { SHORTEST = 4096, SECONDS = 10 };
	long length = strtol(peer->max_pdu, NULL, 10); /* a number: peer_read() checked it */

	if (peer->rate > 0 && peer->rate * SECONDS < length)
		length = peer->rate * SECONDS > SHORTEST ? peer->rate * SECONDS : SHORTEST;
	(void)snprintf(out, TOOL_NUMBER_SIZE, "%ld", length);
	tool_add(a, "--max-send-pdu");
	tool_add(a, out);
}

void tool_add_tls(struct tool_arguments *a, const struct peer *peer)
{
	/* --socket-timeout also ends a handshake that does not come to its end; --null-passwd: a
	 * key with a password fails instead of asking for it. */
	const char *const list[] = { "--socket-timeout", peer->timeout, "--add-cert-file",
		peer->authority, "--require-peer-cert", NULL };
	const char *const key[] = { "--enable-tls", peer->key, peer->certificate, "--null-passwd",
		NULL };

	if (!peer->authority)
		return;
	if (peer->key)
		tool_add_list(a, key);
	else
		tool_add(a, "--anonymous-tls");
	tool_add_list(a, list);
}

int tool_memory_file(const char *name, const char *content)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	size_t length = strlen(content);

	if (fd < 0)
		return -1;
	if (write(fd, content, length) != (ssize_t)length || lseek(fd, 0, SEEK_SET) < 0) {
		(void)close(fd); /* an error is being reported already */
		return -1;
	}
	return fd;
}

void tool_path(int fd, char *out, size_t size)
{
	(void)snprintf(out, size, "/proc/self/fd/%d", fd);
}

/* A library of ours for LD_PRELOAD, opened to be inherited by every tool. By its descriptor,
 * because a path may hold a space or a colon, which separate the entries of LD_PRELOAD. */
static int open_library(const char *name)
{
	char *path = run_beside(name);
	int fd = path ? open(path, O_RDONLY) : -1, saved = errno;

	free(path);
	errno = saved;
	return fd;
}

/* LD_PRELOAD for this peer in out, "" when it needs nothing. */
static void preload(const struct peer *peer, char *out, size_t size)
{
	static int pace = -1, why = -1;
	int n = 0;

	out[0] = '\0';
	if (peer->rate > 0 && pace < 0 && (pace = open_library("pace.so")) < 0)
		sender_never(
			"unable to open pace.so beside send-dicom: %s; rate_limit cannot be kept "
			"without it: install dcmspool again",
			strerror(errno));
	if (peer->authority && why < 0 && (why = open_library("tlswhy.so")) < 0)
		log_warning(
			"unable to open tlswhy.so beside send-dicom: %s; failures of TLS are told "
			"without their reason: install dcmspool again",
			strerror(errno));
	if (peer->rate > 0)
		n = snprintf(out, size, "LD_PRELOAD=/proc/self/fd/%d", pace);
	if (peer->authority && why >= 0)
		(void)snprintf(out + n, size - (size_t)n, "%s/proc/self/fd/%d",
			n > 0 ? ":" : "LD_PRELOAD=", why);
}

int tool_start(struct tool *tool, const struct tool_arguments *a, const struct peer *peer,
	const char *log_configuration, int keep)
{
	char preloaded[SETTING_SIZE], rate[SETTING_SIZE];
	const char *environment[] = { "LC_ALL=C", peer->nodelay ? "TCP_NODELAY=1" : "TCP_NODELAY=0",
		rate, preloaded, NULL };
	int config = tool_memory_file("log configuration", log_configuration);
	int log[2] = { -1, -1 }, saved;
	struct run run = RUN_DEFAULT;

	*tool = (struct tool){ .pid = -1 };
	(void)snprintf(rate, sizeof(rate), "DCMSPOOL_PACE=%ld", peer->rate);
	preload(peer, preloaded, sizeof(preloaded));
	if (!preloaded[0])
		environment[3] = NULL;
	if (config < 0 || pipe2(log, O_CLOEXEC) < 0)
		goto out;
	tool->lines = fdopen(log[0], "r");
	if (!tool->lines)
		goto out;
	log[0] = -1; /* lines has it */
	run.argv = a->argv;
	run.environment = environment;
	run.in = config;
	run.out = run.error = log[1];
	run.keep = keep;
	tool->pid = run_start(&run);
out:
	saved = errno;
	for (int i = 0; i < 2;
		i++) /* log[1] is the tool's alone now, so that its end is our end of file */
		if (log[i] >= 0)
			(void)close(log[i]);
	if (config >= 0)
		(void)close(config); /* memory */
	if (tool->pid < 0 && tool->lines)
		(void)fclose(tool->lines); /* only read */
	errno = saved;
	return tool->pid < 0 ? -1 : 0;
}

char *tool_line(struct tool *tool)
{
	while (fgets(tool->line, sizeof(tool->line), tool->lines)) {
		size_t length = strlen(tool->line);
		bool ends = length > 0 && tool->line[length - 1] == '\n', rest = tool->cut;

		tool->cut = !ends;
		if (rest)
			continue;
		if (ends)
			tool->line[length - 1] = '\0';
		return tool->line;
	}
	return NULL;
}

bool tool_split(char *line, char *level, const char **source, char **text)
{
	char *end, *slash;

	if (!line[0] || line[1] != '|')
		return false;
	end = strchr(line + 2, '|');
	if (!end)
		return false;
	*end = '\0';
	slash = strrchr(line + 2, '/');
	*level = line[0];
	*source = slash ? slash + 1 : line + 2;
	*text = end + 1;
	return true;
}

int tool_end(struct tool *tool, bool at_once)
{
	int code;

	if (at_once)
		(void)kill(tool->pid, SIGKILL); /* it may be gone already */
	code = run_wait(tool->pid);
	(void)fclose(tool->lines); /* only read */
	return code;
}

const char *tool_words(const char *text)
{
	size_t n = strspn(text, "0123456789abcdef:");

	return n == 9 && text[9] == ' ' ? text + 10 : text;
}
