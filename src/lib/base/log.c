#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *program = "dcmspool";
static bool journal; /* standard error is the journal's: lines begin with their priority */

static void take_standard_descriptors(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			_exit(EXIT_TEMPORARY); /* nobody can be told */
}

/* As systemd.exec(5) says of JOURNAL_STREAM: "DEVICE:INODE" of what was the journal's; it may have
 * been redirected since. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char text[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, text) == 0;
}

int failure_code(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return EXIT_PERMANENT;
	default:
		return EXIT_TEMPORARY;
	}
}

void log_open(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	take_standard_descriptors();
	program = slash ? slash + 1 : argv0;
	journal = is_journal();
}

const char *log_program(void)
{
	return program;
}

/* Copies text to out, unprintable bytes as \xNN; returns the length. Truncates, ends with a
 * newline. */
static size_t escape(const char *text, char *out, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p && n + 5 < size; p++) {
		if (*p >= 0x20 && *p < 0x7f) {
			out[n++] = (char)*p;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[*p >> 4];
		out[n++] = hex[*p & 15];
	}
	out[n++] = '\n';
	return n;
}

enum level { INFO, WARNING, ERROR, FATAL };
static const struct {
	const char *name, *priority; /* the latter is sd-daemon(3)'s */
} levels[] = {
	[INFO] = { "info", "<6>" },
	[WARNING] = { "warning", "<4>" },
	[ERROR] = { "error", "<3>" },
	[FATAL] = { "fatal", "<2>" },
};

static void __attribute__((format(printf, 2, 0)))
line(enum level level, const char *format, va_list args)
{
	char text[2048], message[1800], out[4096];
	ssize_t n;

	(void)vsnprintf(message, sizeof(message), format, args); /* a longer message is cut */
	(void)snprintf(text, sizeof(text), "%s%s: %s: %s", journal ? levels[level].priority : "",
		program, levels[level].name, message);
	n = write(STDERR_FILENO, out, escape(text, out, sizeof(out)));
	(void)n; /* where would an error of the log be logged? */
}

#define LEVEL(name, level)                                                                         \
	void name(const char *format, ...)                                                         \
	{                                                                                          \
		va_list args;                                                                      \
		va_start(args, format);                                                            \
		line(level, format, args);                                                         \
		va_end(args);                                                                      \
	}
LEVEL(log_info, INFO)
LEVEL(log_warning, WARNING)
LEVEL(log_error, ERROR)

void die(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(FATAL, format, args);
	va_end(args);
	exit(code);
}

void output_flush(void)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
}
