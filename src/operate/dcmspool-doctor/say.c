#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/capture.h"
#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/run.h"
#include "cli/show.h"

enum { PATIENCE_MS = 120000, ARGUMENTS = 8, TEXT_SIZE = 1024, EXIT_FINDINGS = 1 };

void doctor_good(struct doctor *doctor, const char *place, const char *format, ...)
{
	struct buf line = { 0 };
	char what[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args); /* a long one is cut */
	va_end(args);
	if (json_array_append_new(
		    doctor->good, json_pack("{s:o, s:o}", "place", jsonfile_string(place), "what",
					  jsonfile_string(what))) < 0)
		die(EXIT_TEMPORARY, "out of memory");
	if (doctor->json || !show_columns())
		return;
	buf_puts(&line, show_colour(SHOW_GOOD));
	buf_puts(&line, "well ");
	buf_puts(&line, show_colour(SHOW_PLAIN));
	show_add(&line, place);
	buf_puts(&line, ": ");
	show_add(&line, what);
	show_line(&line, 0);
}

void doctor_bad(struct doctor *doctor, const char *text, const char *place, const char *format, ...)
{
	char what[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args); /* a long one is cut */
	va_end(args);
	findings_add(&doctor->found, text, place, "%s", what);
	if (!doctor->json)
		findings_print(&doctor->found.item[doctor->found.count - 1]);
}

void doctor_unknown(struct doctor *doctor, const char *place, const char *reason)
{
	log_error("unable to look at %s: %s", place, reason);
	doctor->failed = true;
}

int doctor_end(struct doctor *doctor)
{
	static const char commitment[] = "modalities must ask the PACS for storage commitment, "
					 "not dcmspool, which answers no such request";
	size_t well = json_array_size(doctor->good), wrong = doctor->found.count;

	if (doctor->json) {
		show_json(json_pack("{s:o, s:s, s:o, s:b, s:O}", "configuration",
			jsonfile_string(doctor->file), "note", commitment, "findings",
			findings_json(&doctor->found), "whole", !doctor->failed, "well",
			doctor->good));
	} else {
		(void)printf("note: %s\n", commitment); /* show_close() sees a failure */
		(void)printf("%s: %zu checks are well, findings: %zu%s\n", doctor->file, well,
			wrong, doctor->failed ? "; not everything could be looked at" : "");
	}
	return doctor->failed ? EXIT_TEMPORARY : wrong > 0 ? EXIT_FINDINGS : 0;
}

int doctor_run(const char *const argv[], int in, struct buf *out)
{
	int status = capture(argv, in, true, PATIENCE_MS, out);

	if (status < 0 && errno == ENOENT)
		return 127;
	return status;
}

int doctor_run_ours(const char *program, const char *const arguments[], struct buf *out)
{
	const char *argv[ARGUMENTS + 2] = { NULL };
	char *path = run_beside(program);
	int status = -1, saved;

	for (size_t i = 0; i < ARGUMENTS && arguments[i]; i++)
		argv[i + 1] = arguments[i];
	argv[0] = path;
	if (path)
		status = doctor_run(argv, -1, out);
	saved = errno;
	free(path);
	errno = saved;
	return status;
}

bool doctor_has(const char *program)
{
	const char *path = getenv("PATH");
	bool found = false;

	while (path && *path && !found) {
		size_t length = strcspn(path, ":");
		struct buf file = { 0 };

		buf_printf(&file, "%.*s/%s", (int)length, path, program);
		found = file.data && access(file.data, X_OK) == 0;
		buf_free(&file);
		path += length + (path[length] == ':');
	}
	return found;
}

int doctor_read(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -1 : disk_close(fd, memory_read(fd, out));
}

long doctor_number(const char *path)
{
	struct buf text = { 0 };
	long value = -1;

	if (doctor_read(path, &text) == 0) {
		text.data[strcspn(text.data, "\n")] = '\0';
		if (parse_long(text.data, 0, LONG_MAX, &value) < 0)
			value = -1;
	}
	buf_free(&text);
	return value;
}

const char *doctor_user(uid_t uid)
{
	const struct passwd *entry = getpwuid(uid);

	return entry ? entry->pw_name : "a user without a name";
}
