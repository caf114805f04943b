#include "said.h"

#include "base/log.h"
#include "sending.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FIELDS = 4, LINE_MAX_BYTES = 1 << 16, BAD_LINES_TOLD = 3 };

static const char *type_of(const struct said *said)
{
	return said->attempt->claimed->target->type;
}

/* A mistake in the sender. The first ones are told, then only how many there were. */
static void bad_line(struct said *said, const char *what, const char *line)
{
	if (said->bad_lines++ < BAD_LINES_TOLD)
		log_error("send-%s %s: %.200s", type_of(said), what, line);
}

/* Cuts "RESULT TAB STATUS TAB FILE TAB TEXT" into its fields. */
static bool split(char *line, char *field[FIELDS])
{
	field[0] = line;
	for (int i = 1; i < FIELDS; i++) {
		char *tab = strchr(field[i - 1], '\t');

		if (!tab)
			return false;
		*tab = '\0';
		field[i] = tab + 1;
	}
	for (int i = 0; i < FIELDS; i++)
		text_clean(field[i]); /* a tab would make a ledger line that nobody reads */
	return true;
}

/* What the first word of a line says of an image. False: nothing. */
static bool is_said(const char *word, enum said_of *said)
{
	static const char *const words[] = { [SAID_FAILED] = "failed",
		[SAID_NEVER] = "never",
		[SAID_STORED] = "stored",
		[SAID_DOUBT] = "doubt" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		*said = (enum said_of)i;
		if (strcmp(word, words[i]) == 0)
			return true;
	}
	return false;
}

static void take_answer(struct said *said, enum said_of what, char *const field[FIELDS])
{
	struct claimed *job = said->attempt->claimed;
	struct answers *answers = &said->attempt->answers;
	struct image *image = answers_find(answers, field[2]);

	if (!image) {
		bad_line(said, "named an image that the job has not", field[2]);
	} else if (image->answered || image->doubted) {
		bad_line(said, "answered an image twice, the first answer counts", field[2]);
	} else if (answers_add(job, answers, image, what, field[1], field[3]) < 0) {
		said->broken = errno;
		log_error("unable to write the ledger of job %s: %s", job->job,
			strerror(said->broken));
	}
	if (what != SAID_DOUBT)
		claimed_answered(job);
	said->cancelled = job_is_cancelled(job->dir);
}

static void take_line(struct said *said, char *line)
{
	char *field[FIELDS];
	enum said_of what;

	if (said->may_wait && !said->ready && strcmp(line, "ready") == 0) {
		said->ready = true;
	} else if (!split(line, field)) {
		bad_line(said, "wrote a line that is none of dcmspool-sender(7)", line);
	} else if (strcmp(field[0], "target") == 0) {
		(void)snprintf(
			said->outcome->reason, sizeof(said->outcome->reason), "%s", field[3]);
		text_clean(said->outcome->reason); /* it may have been cut inside a character */
	} else if (is_said(field[0], &what)) {
		take_answer(said, what, field);
	} else {
		bad_line(said, "wrote a line that is none of dcmspool-sender(7)", field[0]);
	}
}

bool said_goes_on(const struct said *said)
{
	return said->broken == 0 && !said->cancelled && !said->babbles && !said->ready;
}

bool said_is_through(const struct said *said)
{
	const struct answers *answers = &said->attempt->answers;

	return said->broken == 0 && !said->cancelled && said->bad_lines == 0 &&
	       said->line.length == 0 && answers->answered + answers->doubted == answers->listed;
}

bool said_take(struct said *said, int fd)
{
	char data[4096], *newline;
	ssize_t n = read(fd, data, sizeof(data));

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return false;
	buf_add(&said->line, data, (size_t)n);
	while (said->line.data && (newline = memchr(said->line.data, '\n', said->line.length))) {
		size_t used = (size_t)(newline - said->line.data) + 1;

		*newline = '\0';
		take_line(said, said->line.data);
		said->line.length -= used;
		memmove(said->line.data, said->line.data + used, said->line.length);
	}
	if (said->line.failed)
		said->broken = ENOMEM;
	said->babbles = said->line.length > LINE_MAX_BYTES;
	return said_goes_on(said);
}

void said_end(struct said *said)
{
	if (said->babbles)
		bad_line(said, "wrote a line of more than 64 KiB and was ended", said->line.data);
	if (said->bad_lines > BAD_LINES_TOLD)
		log_error("send-%s wrote %zu such lines in all", type_of(said), said->bad_lines);
	buf_free(&said->line);
}
