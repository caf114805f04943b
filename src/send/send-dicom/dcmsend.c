#include "dcmsend.h"

#include "base/log.h"
#include "tool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Its log configuration: requests and responses are logged by its network library. */
static const char log_configuration[] = TOOL_LOG "log4cplus.logger.dcmtk.dcmnet = DEBUG\n";

static int start(struct tool *tool, const struct peer *peer, const struct sender *sender,
	const size_t *index, size_t count, int report)
{
	char path[32], decompress[32], pdu[TOOL_NUMBER_SIZE];
	struct tool_arguments a;
	int result;

	tool_path(report, path, sizeof(path));
	(void)snprintf(decompress, sizeof(decompress), "--decompress-%s", peer->decompress);
	const char *const fixed[] = { "--create-report-file", path,
		"--read-file",           /* files without a meta header as well */
		decompress, "--no-halt", /* one unreadable file would else hold back all others */
		"--no-uid-checks",       /* private SOP classes, unknown transfer syntaxes */
		"--multi-associations", NULL };

	if (tool_arguments(&a, "dcmsend", count) < 0)
		return -1;
	tool_add_list(&a, fixed);
	tool_add_peer(&a, peer);
	tool_add_send_pdu(&a, peer, pdu);
	tool_add(&a, peer->host);
	tool_add(&a, peer->port);
	for (size_t i = 0; i < count; i++)
		tool_add(&a, sender->image[index[i]].name);
	result = tool_start(tool, &a, peer, log_configuration, report);
	free(a.argv);
	return result;
}

/* One image's entry of the report. The report is the second witness: what it says beyond the log is
 * only that no presentation context was accepted, and it never makes an image stored. */
static void compare(struct transcript *transcript, long index, const char *status)
{
	struct sender *sender = transcript->sender;
	const struct sender_image *image;
	long number = strncmp(status, "0x", 2) == 0 ? strtol(status, NULL, 16) : SENDER_NO_STATUS;

	if (index < 0)
		return;
	image = &sender->image[index];
	if (image->answer == SENDER_UNSENT && strstr(status, "no acceptable presentation context"))
		transcript_not_accepted(transcript, (size_t)index);
	else if (number != image->status && number != SENDER_NO_STATUS)
		log_warning("dcmsend's report and log differ; the log counts image=%s report=%04lx",
			image->name, (unsigned long)number);
}

static void read_report(int fd, struct transcript *transcript)
{
	static const char file[] = "Filename      : ", status[] = "DIMSE Status  : ";
	char line[TOOL_LINE_SIZE];
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
			index = sender_find(transcript->sender, line + sizeof(file) - 1);
		else if (strncmp(line, status, sizeof(status) - 1) == 0)
			compare(transcript, index, line + sizeof(status) - 1);
	}
	(void)fclose(report); /* memory */
}

int dcmsend_run(const struct peer *peer, struct sender *sender, const size_t *index, size_t count,
	struct transcript *transcript)
{
	int report = tool_memory_file("dcmsend report", ""), result, saved;
	struct tool tool;

	transcript_open(transcript, sender, peer->decompress);
	if (report < 0 || start(&tool, peer, sender, index, count, report) < 0) {
		saved = errno;
		if (report >= 0)
			(void)close(report); /* memory */
		errno = saved;
		return -1;
	}
	transcript_follow(transcript, &tool);
	result = tool_end(&tool, transcript->stop);
	if (transcript->stop) {
		(void)close(report); /* memory */
		return result;
	}
	read_report(report, transcript);
	if (result == 0)
		transcript_end(transcript);
	return result;
}
