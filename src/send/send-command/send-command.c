/*
 * send-command: the sender for targets of type command; see send-command(8) and dcmspool-sender(7).
 *
 * It runs a program of the user's, once for the job or once for each image, and its exit status is
 * the answer.
 */
#define _DEFAULT_SOURCE /* strsep */
#include "base/log.h"
#include "base/memory.h"
#include "base/run.h"
#include "base/str.h"
#include "sender/sender.h"
#include "spool/series.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_WORDS = 256, MAX_VALUE = 1000 };
enum { DEFAULT_TIMEOUT_S = 3600, MAX_TIMEOUT_S = 24 * 3600 };

/* Cuts the command at its blanks; it lives as long as we do. */
static void read_command(struct program *program)
{
	static const char *argv[MAX_WORDS + 2]; /* and the image, and NULL */
	const char *command = sender_need("COMMAND");
	char *rest = sender_copy(command, strlen(command)), *word;

	program->argv = argv;
	while ((word = strsep(&rest, " "))) {
		if (*word == '\0')
			continue;
		if (program->argc == MAX_WORDS)
			sender_never("TARGET_COMMAND has more than %d words", MAX_WORDS);
		argv[program->argc++] = word;
	}
	if (program->argc == 0 || argv[0][0] != '/')
		sender_never(
			"TARGET_COMMAND is '%s'; it must begin with the absolute path of a program",
			command);
}

/* Returns true when the program is to be run for each image. */
static bool read_settings(struct program *program)
{
	const char *per = sender_setting("PER", "job");

	read_command(program);
	program->timeout_s = sender_number("TIMEOUT", 1, MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S);
	if (strcmp(per, "job") != 0 && strcmp(per, "image") != 0)
		sender_never("TARGET_PER is '%s'; it must be job or image", per);
	return strcmp(per, "image") == 0;
}

/* Letters and digits: a keyword of the standard. */
static bool is_keyword(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
			    (*c >= '0' && *c <= '9')))
			return false;
	return *name != '\0';
}

/* "DCMSPOOL_TAG_<Keyword>=value". */
static char *variable(const char *keyword, const char *value)
{
	struct buf b = { 0 };
	size_t from;

	buf_printf(&b, "DCMSPOOL_TAG_%s=", keyword);
	from = b.length;
	buf_printf(&b, "%.*s", MAX_VALUE, value);
	if (b.failed)
		sender_no_memory();
	text_clean(b.data + from);
	return b.data;
}

/* The tags of the series, for the life of the process. */
static const char *const *make_environment(void)
{
	json_t *series = sender_series(), *value;
	json_t *tags = series_tags(series);
	char **all = calloc(json_object_size(tags) + 1, sizeof(*all));
	const char *keyword;
	size_t n = 0;

	if (!all)
		sender_no_memory();
	json_object_foreach (tags, keyword, value) {
		const char *text = json_string_value(value);

		if (text && *text && is_keyword(keyword))
			all[n++] = variable(keyword, text);
	}
	json_decref(series);
	return (const char *const *)all;
}

/* The list of images, for the program's standard input. */
static int make_list(const struct sender *sender)
{
	struct buf list = { 0 };
	int fd;

	for (size_t i = 0; i < sender->count; i++)
		buf_printf(&list, "%s\n", sender->image[i].name);
	fd = memory_buf("images", &list, false);
	if (fd < 0)
		sender_own_fault("unable to make the list of images: %s", strerror(errno));
	return fd;
}

/* The answer in words. */
static void describe(const struct program_end *end, char *out, size_t size)
{
	const char *colon = end->text[0] ? ": " : "";

	if (end->status == 0)
		(void)snprintf(out, size, "%s", end->text[0] ? end->text : "stored");
	else if (end->status > RUN_SIGNALLED)
		(void)snprintf(out, size, "ended by signal %d%s%s", end->status - RUN_SIGNALLED,
			colon, end->text);
	else
		(void)snprintf(out, size, "exit status %d%s%s", end->status, colon, end->text);
}

static void too_slow(const struct program *program, char *text, size_t size)
{
	(void)snprintf(text, size, "%s was still running after %ld seconds and was killed",
		program->argv[0], program->timeout_s);
}

/* Runs it; false: it has no answer, and why stands in end->text. What it was told is in doubt when
 * it was too slow, else nothing was sent. */
static bool run(struct program *program, int in, const char *image, struct program_end *end)
{
	if (program_run(program, in, image, end) < 0) {
		if (sender_is_own_fault(errno) || errno == EAGAIN)
			sender_own_fault("unable to run %s: %s", program->argv[0], strerror(errno));
		(void)snprintf(end->text, sizeof(end->text), "unable to run %s: %s",
			program->argv[0], strerror(errno));
		end->in_time = true;
		return false;
	}
	if (!end->in_time) {
		too_slow(program, end->text, sizeof(end->text));
		log_warning("%s", end->text);
	} else if (end->status == EXIT_TEMPORARY && !end->text[0]) {
		(void)snprintf(end->text, sizeof(end->text), "exit status 111");
	}
	return end->in_time && end->status != EXIT_TEMPORARY;
}

static void answer(struct sender *sender, size_t index, const struct program_end *end)
{
	char text[sizeof(end->text) + 64];

	describe(end, text, sizeof(text));
	sender_answer(sender, index, end->status == 0 ? SENDER_STORED : SENDER_FAILED,
		SENDER_NO_STATUS, text);
}

/* When it was too slow, no image can be told from another. */
static void send_job(struct sender *sender, struct program *program)
{
	int list = make_list(sender);
	struct program_end end;

	if (run(program, list, NULL, &end)) {
		for (size_t i = 0; i < sender->count; i++)
			answer(sender, i, &end);
	} else {
		sender_target_failed(sender, "%s", end.text);
	}
	(void)close(list);
}

/* Two images in a row for which time ran out are enough. */
static void send_each(struct sender *sender, struct program *program)
{
	struct program_end end, slow = { .text = "" };

	for (size_t i = 0; i < sender->count && !sender->target_failed; i++) {
		if (run(program, -1, sender->image[i].name, &end)) {
			answer(sender, i, &end);
			slow.in_time = true;
			continue;
		}
		if (!end.in_time)
			sender_answer(sender, i, SENDER_DOUBT, SENDER_NO_STATUS, end.text);
		if (end.in_time || (slow.text[0] && !slow.in_time))
			sender_target_failed(sender, "%s", end.text);
		slow = end;
	}
	if (sender->doubted > 0)
		sender_target_failed(sender, "%s", slow.text); /* unless it has failed already */
}

static void probe(struct sender *sender, const struct program *program)
{
	struct stat st;

	if (stat(program->argv[0], &st) < 0 || access(program->argv[0], X_OK) < 0)
		sender_target_failed(
			sender, "unable to run %s: %s", program->argv[0], strerror(errno));
	else if (!S_ISREG(st.st_mode))
		sender_target_failed(sender, "unable to run %s: it is no file", program->argv[0]);
}

int main(int argc, char *argv[])
{
	static struct program program;
	struct sender sender;
	bool each;

	sender_open(&sender, argv[0]);
	each = read_settings(&program);
	if (sender_probing(argc, argv)) {
		probe(&sender, &program);
	} else if (program_prepare(&program) < 0) {
		sender_own_fault("unable to adopt what the program starts: %s", strerror(errno));
	} else if (sender.count > 0) {
		program.environment = make_environment();
		(each ? send_each : send_job)(&sender, &program);
	}
	return sender_close(&sender);
}
