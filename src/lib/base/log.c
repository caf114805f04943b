#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program = "dcmspool";

static void take_standard_descriptors(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			_exit(EXIT_TEMPORARY); /* nobody can be told */
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

static void __attribute__((format(printf, 2, 0)))
line(const char *level, const char *format, va_list args)
{
	char text[2048], message[1800], out[4096];
	ssize_t n;

	(void)vsnprintf(message, sizeof(message), format, args); /* a longer message is cut */
	(void)snprintf(text, sizeof(text), "%s: %s: %s", program, level, message);
	n = write(STDERR_FILENO, out, escape(text, out, sizeof(out)));
	(void)n; /* where would an error of the log be logged? */
}

#define LEVEL(name, text)                                                                          \
	void name(const char *format, ...)                                                         \
	{                                                                                          \
		va_list args;                                                                      \
		va_start(args, format);                                                            \
		line(text, format, args);                                                          \
		va_end(args);                                                                      \
	}
LEVEL(log_info, "info")
LEVEL(log_warning, "warning")
LEVEL(log_error, "error")

void die(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line("fatal", format, args);
	va_end(args);
	exit(code);
}

void output_flush(void)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		die(EXIT_TEMPORARY, "unable to write standard output: %s; check where it goes",
			strerror(errno));
}
