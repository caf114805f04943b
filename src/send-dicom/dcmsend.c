#define _GNU_SOURCE /* memfd_create, pipe2 */
#include "dcmsend.h"

#include "log.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIXED_ARGUMENTS = 32, LINE_SIZE = 4096 };

/* A descriptor without a name, so that nothing is left behind by a kill -9. */
static int make_memory_file(const char *name, const char *content)
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

static pid_t start(const struct dcmsend_target *target, const struct sender *sender,
	const size_t *index, size_t count, int config, int report, int log)
{
	static const char *const environment[] = { "TCP_NODELAY=1", "LC_ALL=C", NULL };
	struct run run = RUN_DEFAULT;
	const char **argv = calloc(FIXED_ARGUMENTS + count + 1, sizeof(*argv));
	char path[32];
	size_t n = 0;
	pid_t pid;

	if (!argv)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", report);
	const char *const fixed[] = { "dcmsend", "--log-config", "/proc/self/fd/0",
		"--create-report-file", path,
		"--read-file",        /* files without a meta header as well */
		"--decompress-never", /* the target gets what we got */
		"--no-halt",          /* one unreadable file would else hold back all others */
		"--no-uid-checks",    /* private SOP classes, unknown transfer syntaxes */
		"--multi-associations", "--max-pdu", "131072", "--max-send-pdu", "131072",
		"--timeout", target->timeout, "--acse-timeout", target->timeout, "--dimse-timeout",
		target->timeout, "--aetitle", target->aet, "--call", target->aec, target->host,
		target->port };

	_Static_assert(sizeof(fixed) / sizeof(fixed[0]) <= FIXED_ARGUMENTS, "FIXED_ARGUMENTS");
	for (; n < sizeof(fixed) / sizeof(fixed[0]); n++)
		argv[n] = fixed[n];
	for (size_t i = 0; i < count; i++)
		argv[n++] = sender->image[index[i]].name;
	run.argv = argv;
	run.environment = environment;
	run.in = config;
	run.out = run.error = log;
	run.keep = report;
	pid = run_start(&run);
	free(argv);
	return pid;
}

/* Feeds the transcript until dcmsend closes its log, or until there is no use in going on. dcmsend
 * has time-outs for everything it waits for, so this needs none. */
static void listen_to(FILE *log, struct transcript *transcript)
{
	char line[LINE_SIZE];
	bool begins = true;

	while (!transcript->stop && fgets(line, sizeof(line), log)) {
		size_t length = strlen(line);
		bool ends = length > 0 && line[length - 1] == '\n';

		if (ends)
			line[length - 1] = '\0';
		if (begins) /* the rest of a longer line is dropped */
			transcript_line(transcript, line);
		begins = ends;
	}
}

/* One image's entry of the report. The report is the second witness: what it says beyond the log is
 * only that no presentation context was accepted, and it never makes an image stored. */
static void compare(struct sender *sender, long index, const char *status)
{
	const struct sender_image *image;
	long number = strncmp(status, "0x", 2) == 0 ? strtol(status, NULL, 16) : SENDER_NO_STATUS;

	if (index < 0)
		return;
	image = &sender->image[index];
	if (image->answer == SENDER_UNSENT && strstr(status, "no acceptable presentation context"))
		sender_answer(sender, (size_t)index, SENDER_FAILED, SENDER_NO_STATUS,
			"the target accepts this SOP class in no transfer syntax that was offered");
	else if (number != image->status && number != SENDER_NO_STATUS)
		log_warning("dcmsend's report and log differ; the log counts image=%s report=%04lx",
			image->name, (unsigned long)number);
}

static void read_report(int fd, struct sender *sender)
{
	static const char file[] = "Filename      : ", status[] = "DIMSE Status  : ";
	char line[LINE_SIZE];
	long index = -1;
	FILE *report;

	if (lseek(fd, 0, SEEK_SET) < 0 || !(report = fdopen(fd, "r"))) {
		log_warning("unable to read dcmsend's report: %s", strerror(errno));
		(void)close(fd); /* memory */
		return;
	}
	while (fgets(line, sizeof(line), report)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, file, sizeof(file) - 1) == 0)
			index = sender_find(sender, line + sizeof(file) - 1);
		else if (strncmp(line, status, sizeof(status) - 1) == 0)
			compare(sender, index, line + sizeof(status) - 1);
	}
	(void)fclose(report); /* memory */
}

int dcmsend_run(const struct dcmsend_target *target, struct sender *sender, const size_t *index,
	size_t count, struct transcript *transcript)
{
	int config = -1, report = -1, log[2] = { -1, -1 }, result = -1, saved;
	FILE *lines = NULL;
	pid_t pid;

	transcript_open(transcript, sender);
	config = make_memory_file("dcmsend log configuration", TRANSCRIPT_CONFIG);
	report = make_memory_file("dcmsend report", "");
	if (config < 0 || report < 0 || pipe2(log, O_CLOEXEC) < 0)
		goto out;
	lines = fdopen(log[0], "r");
	if (!lines)
		goto out;
	log[0] = -1; /* lines has it */
	pid = start(target, sender, index, count, config, report, log[1]);
	if (pid < 0)
		goto out;
	(void)close(log[1]); /* dcmsend's alone now, so that its end is our end of file */
	log[1] = -1;
	listen_to(lines, transcript);
	if (transcript->stop)
		(void)kill(pid, SIGKILL); /* it may be gone already */
	result = run_wait(pid);
	if (!transcript->stop) {
		read_report(report, sender);
		report = -1;
		if (result == 0)
			transcript_end(transcript);
	}
out:
	saved = errno;
	if (lines)
		(void)fclose(lines); /* only read */
	for (int i = 0; i < 2; i++)
		if (log[i] >= 0)
			(void)close(log[i]);
	if (config >= 0)
		(void)close(config);
	if (report >= 0)
		(void)close(report);
	errno = saved;
	return result;
}
