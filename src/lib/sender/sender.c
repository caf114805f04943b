#include "sender/sender.h"

#include "base/log.h"
#include "base/str.h"
#include "spool/series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Images that were stored or refused in this run: what is told of an own fault depends on it. */
static size_t told;

_Noreturn static void end_own_fault(void)
{
	/* What was told counts, and what is left is tried again at once. */
	exit(told > 0 ? EXIT_TEMPORARY : SENDER_OWN_FAULT);
}

void sender_own_fault(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* a longer reason is cut */
	va_end(args);
	log_error("%s", text);
	end_own_fault();
}

void sender_no_memory(void)
{
	sender_own_fault("unable to send: out of memory");
}

char *sender_copy(const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		sender_no_memory();
	return copy;
}

void sender_no_program(const char *name)
{
	sender_own_fault("unable to run %s: %s%s", name, strerror(errno),
		errno == ENOENT ? "; install it" : "");
}

bool sender_is_own_fault(int error)
{
	return error == ENOMEM || error == EMFILE || error == ENFILE;
}

json_t *sender_series(void)
{
	json_t *series = series_load(AT_FDCWD);

	if (!series && sender_is_own_fault(errno))
		sender_own_fault("unable to read series.json: %s", strerror(errno));
	return series;
}

static void add_image(struct sender *s, const char *name)
{
	char *copy = sender_copy(name, strlen(name));

	if ((s->count & (s->count - 1)) == 0) { /* full at each power of two */
		size_t capacity = s->count ? s->count * 2 : 1;
		struct sender_image *more = realloc(s->image, capacity * sizeof(*more));

		if (!more)
			sender_no_memory();
		s->image = more;
	}
	s->image[s->count++] = (struct sender_image){ copy, SENDER_UNSENT, SENDER_NO_STATUS, 0 };
}

void sender_read(struct sender *s, FILE *from)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, from)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (strlen(line) + 1 < (size_t)n || !name_ok(line))
			die(EXIT_PERMANENT, "unable to read the list of images: bad name '%s'",
				line);
		add_image(s, line);
	}
	if (ferror(from))
		sender_own_fault("unable to read the list of images: %s", strerror(errno));
	free(line);
}

void sender_open(struct sender *s, const char *argv0)
{
	log_open(argv0);
	*s = (struct sender){ 0 };
	sender_read(s, stdin);
}

long sender_find(struct sender *s, const char *name)
{
	/* Answers come in the order of the list, hence mostly at the first look. */
	for (size_t n = 0; n < s->count; n++) {
		size_t i = (s->hint + n) % s->count;

		if (strcmp(s->image[i].name, name) == 0) {
			s->hint = i;
			return (long)i;
		}
	}
	return -1;
}

static void write_line(struct buf *line)
{
	size_t done = 0;

	if (line->failed)
		sender_no_memory();
	while (done < line->length) {
		ssize_t n = write(STDOUT_FILENO, line->data + done, line->length - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die(EXIT_TEMPORARY, "unable to write an answer: %s", strerror(errno));
		done += (size_t)n;
	}
	buf_free(line);
}

/* Adds text and a newline; one line of UTF-8, without tabs. */
static void add_text(struct buf *line, const char *text)
{
	size_t from = line->length;

	buf_puts(line, text);
	if (!line->failed)
		text_clean(line->data + from);
	buf_puts(line, "\n");
}

static void add_status(struct buf *line, int status)
{
	if (status == SENDER_NO_STATUS)
		buf_puts(line, "-");
	else if (status >= SENDER_HTTP)
		buf_printf(line, "%03d", status - SENDER_HTTP);
	else
		buf_printf(line, "%04X", (unsigned)status);
}

void sender_answer(
	struct sender *s, size_t index, enum sender_answer answer, int status, const char *text)
{
	static const char *const words[] = { [SENDER_STORED] = "stored",
		[SENDER_FAILED] = "failed",
		[SENDER_NEVER] = "never",
		[SENDER_DOUBT] = "doubt" };
	struct sender_image *image = &s->image[index];
	struct buf line = { 0 };

	if (image->answer != SENDER_UNSENT)
		return;
	image->answer = answer;
	image->status = status;
	s->answered++;
	s->failed += answer == SENDER_FAILED || answer == SENDER_NEVER;
	s->doubted += answer == SENDER_DOUBT;
	told += answer != SENDER_DOUBT;
	buf_printf(&line, "%s\t", words[answer]);
	add_status(&line, status);
	buf_printf(&line, "\t%s\t", image->name);
	add_text(&line, text);
	write_line(&line);
}

/* The line that tells why the target as a whole cannot be used. */
static void write_target_line(const char *text)
{
	struct buf line = { 0 };

	buf_puts(&line, "target\t-\t-\t");
	add_text(&line, text);
	write_line(&line);
}

void sender_never(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* a longer reason is cut */
	va_end(args);
	write_target_line(text);
	die(EXIT_PERMANENT, "unable to send: %s", text);
}

void sender_target_failed(struct sender *s, const char *format, ...)
{
	char text[512];
	va_list args;

	if (s->target_failed)
		return;
	s->target_failed = true;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args); /* a longer reason is cut */
	va_end(args);
	write_target_line(text);
}

int sender_close(struct sender *s)
{
	int code = s->failed ? 1 : 0;

	if (s->target_failed || s->doubted || s->answered < s->count)
		code = EXIT_TEMPORARY;
	for (size_t i = 0; i < s->count; i++)
		free(s->image[i].name);
	free(s->image);
	*s = (struct sender){ 0 };
	return code;
}

const char *sender_setting(const char *name, const char *otherwise)
{
	char variable[64];
	const char *value;

	(void)snprintf(variable, sizeof(variable), "TARGET_%s", name); /* our own short names */
	value = getenv(variable);
	return value && *value ? value : otherwise;
}

const char *sender_need(const char *name)
{
	const char *value = sender_setting(name, NULL);

	if (!value)
		sender_never("TARGET_%s is not set; set it in the target's section", name);
	return value;
}

long sender_number(const char *name, long min, long max, long otherwise)
{
	const char *value = sender_setting(name, NULL);
	long number;

	if (!value)
		return otherwise;
	if (parse_long(value, min, max, &number) < 0)
		sender_never("TARGET_%s is '%s'; it must be a number from %ld to %ld", name, value,
			min, max);
	return number;
}

bool sender_yes(const char *name)
{
	static const char *const words[] = { "no", "yes", "false", "true" };
	const char *value = sender_setting(name, "no");

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i]) == 0)
			return i % 2;
	sender_never("TARGET_%s is '%s'; it must be yes or no", name, value);
}

bool sender_probing(int argc, char *argv[])
{
	return argc == 2 && strcmp(argv[1], "-p") == 0;
}

bool sender_checking(int argc, char *argv[])
{
	return argc == 2 && strcmp(argv[1], "-n") == 0;
}

/* Opens the secret file of a setting, or dies. */
static int open_secret(const char *name, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool unknown = fd < 0 || fstat(fd, &st) < 0;

	if (unknown && errno != EACCES && failure_code(errno) == EXIT_TEMPORARY)
		sender_own_fault("unable to read the secret file %s (TARGET_%s): %s", path, name,
			strerror(errno));
	if (unknown)
		sender_never("unable to read the secret file %s (TARGET_%s): %s", path, name,
			strerror(errno));
	if (!S_ISREG(st.st_mode))
		sender_never("the secret file %s (TARGET_%s) is no regular file", path, name);
	if (st.st_uid != geteuid())
		sender_never("the secret file %s (TARGET_%s) belongs to another user; "
			     "chown it to the user that dcmspool runs as",
			path, name);
	if (st.st_mode & 077)
		sender_never("others may read the secret file %s (TARGET_%s); chmod 600 %s", path,
			name, path);
	return fd;
}

const char *sender_secret_file(const char *name)
{
	const char *path = sender_setting(name, NULL);

	if (path)
		(void)close(open_secret(name, path)); /* only looked at */
	return path;
}

char *sender_secret(const char *name)
{
	const char *path = sender_setting(name, NULL);
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	if (!path)
		return NULL;
	file = fdopen(open_secret(name, path), "r");
	errno = 0;
	if (!file || (getline(&line, &size, file) < 0 && errno))
		sender_own_fault("unable to read the secret file %s (TARGET_%s): %s", path, name,
			strerror(errno));
	if (!line || strcspn(line, "\r\n") == 0)
		sender_never(
			"the first line of the secret file %s (TARGET_%s) is empty", path, name);
	line[strcspn(line, "\r\n")] = '\0';
	(void)fclose(file); /* only read */
	return line;
}
