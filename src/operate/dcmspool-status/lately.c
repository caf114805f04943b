#include "lately.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "cli/when.h"
#include "status.h"

static const char refused[] = "association-refused", sent[] = "sent", other[] = "other reasons";
static const char *const of_today[] = { refused, "failed", "quarantined", "rule-failed",
	"image-refused", NULL };
static const char *const of_late[] = { sent, "complete", NULL };

static char *copy_of(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		no_memory();
	return copy;
}

static void unreadable(void)
{
	log_warning("unable to read the journal: %s; what it tells of late is missing here",
		strerror(errno));
}

/* ---- today --------------------------------------------------------------------------------- */

static void add_refusal(struct lately *lately, const json_t *line)
{
	const char *reason = journal_text(line, "reason");
	struct refusal *row = lately->refusal, *end = row + lately->refusals;

	while (row < end && strcmp(row->reason, reason) != 0)
		row++;
	if (row == end && lately->refusals == LATELY_REASONS) {
		row = end - 1;
		free(row->reason);
		row->reason = copy_of(other);
	} else if (row == end) {
		*row = (struct refusal){ .reason = copy_of(reason) };
		lately->refusals++;
	}
	row->count++;
	row->last_us = journal_time_us(line);
	free(row->last_peer);
	row->last_peer = copy_of(journal_text(line, "peer"));
}

static void add_error(struct lately *lately, json_t *line)
{
	json_decref(lately->error[LATELY_ERRORS - 1]);
	for (size_t i = LATELY_ERRORS - 1; i > 0; i--)
		lately->error[i] = lately->error[i - 1];
	lately->error[0] = json_incref(line);
	lately->errors++;
}

static void forget_today(struct lately *lately)
{
	for (size_t i = 0; i < lately->refusals; i++) {
		free(lately->refusal[i].reason);
		free(lately->refusal[i].last_peer);
	}
	for (size_t i = 0; i < LATELY_ERRORS; i++) {
		json_decref(lately->error[i]);
		lately->error[i] = NULL;
	}
	lately->refusals = 0;
	lately->errors = 0;
	if (lately->midnight_us)
		journal_reader_close(&lately->today);
}

static void look_at_today(struct lately *lately, const struct spool *spool, int64_t now_us)
{
	time_t midnight = 0;
	json_t *line;
	int more;

	(void)when_read("today", (time_t)(now_us / 1000000), &midnight); /* else all there is */
	if (lately->midnight_us != (int64_t)midnight * 1000000) {
		forget_today(lately);
		lately->midnight_us = (int64_t)midnight * 1000000;
		journal_reader_open(&lately->today, spool, lately->midnight_us, 0);
		lately->today.only = of_today;
		if (journal_reader_seek(&lately->today) < 0)
			unreadable();
	}
	while ((more = journal_reader_next(&lately->today, &line)) > 0) {
		if (strcmp(journal_text(line, "event"), refused) == 0)
			add_refusal(lately, line);
		else
			add_error(lately, line);
		json_decref(line);
	}
	if (more < 0)
		unreadable();
}

/* ---- the last minutes ---------------------------------------------------------------------- */

const struct lately_sent *lately_sent_to(const struct lately *lately, const char *target)
{
	for (size_t i = 0; i < lately->sents; i++)
		if (strcmp(lately->sent[i].target, target) == 0)
			return &lately->sent[i];
	return NULL;
}

static void add_sent(struct lately *lately, const char *target, unsigned long images)
{
	struct lately_sent *row = (struct lately_sent *)lately_sent_to(lately, target);

	if (!row) {
		row = realloc(lately->sent, (lately->sents + 1) * sizeof(*row));
		if (!row)
			no_memory();
		lately->sent = row;
		row += lately->sents++;
		*row = (struct lately_sent){ .target = copy_of(target) };
	}
	row->jobs++;
	row->images += images;
}

static void forget_minutes(struct lately *lately)
{
	for (size_t i = 0; i < lately->sents; i++)
		free(lately->sent[i].target);
	free(lately->sent);
	lately->sent = NULL;
	lately->sents = 0;
	lately->series = lately->images = 0;
}

static void look_at_minutes(struct lately *lately, const struct spool *spool, int64_t now_us)
{
	struct journal_reader reader;
	json_t *line;
	int more;

	forget_minutes(lately);
	journal_reader_open(&reader, spool, now_us - LATELY_S * INT64_C(1000000), 0);
	reader.only = of_late;
	(void)journal_reader_seek(&reader); /* else reading fails as well, or takes longer */
	while ((more = journal_reader_next(&reader, &line)) > 0) {
		unsigned long images = (unsigned long)journal_number(line, "images");

		if (strcmp(journal_text(line, "event"), sent) == 0) {
			add_sent(lately, journal_text(line, "target"), images);
		} else {
			lately->series++;
			lately->images += images;
		}
		json_decref(line);
	}
	journal_reader_close(&reader);
}

void lately_look(struct lately *lately, const struct spool *spool, int64_t now_us)
{
	look_at_today(lately, spool, now_us);
	look_at_minutes(lately, spool, now_us);
}

void lately_free(struct lately *lately)
{
	forget_today(lately);
	forget_minutes(lately);
	*lately = (struct lately){ 0 };
}
