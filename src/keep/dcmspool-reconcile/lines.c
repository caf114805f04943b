#include "lines.h"

#include "base/log.h"
#include "base/str.h"
#include "ends.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal_read.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_US (INT64_C(86400) * 1000000)

/* "?": it could not be counted. */
static bool has(const json_t *line, const char *key)
{
	return json_object_get(line, key) && strcmp(journal_text(line, key), "?") != 0;
}

static void opened(struct account *account, const json_t *line)
{
	json_t *association = account_association(account, journal_text(line, "association"));

	account_set(association, "opened", 1);
	(void)json_object_set(association, "calling", json_object_get(line, "calling_aet"));
}

/* Told twice by a recovery, perhaps without the numbers. Before they were told, there are none. */
static void ended(struct account *account, const json_t *line)
{
	static const char *const numbers[] = { "received", "filed", "duplicates", "quarantined" };
	json_t *association = account_association(account, journal_text(line, "association"));

	account_set(association, "ended", 1);
	account_add(association, "numbers", has(line, "received"));
	if (journal_number(line, "received") < account_get(association, "received"))
		return;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		account_set(association, numbers[i], journal_number(line, numbers[i]));
}

/* "a=12,b=3" */
static void brought(struct account *account, json_t *job, const char *text)
{
	char *copy = strdup(text), *rest = copy, *one, *number;
	long images;

	if (!copy)
		die(EXIT_TEMPORARY, "unable to keep the account: out of memory; try again");
	while ((one = strtok_r(rest, ",", &rest))) {
		number = strchr(one, '=');
		if (!number || parse_long(number + 1, 0, LONG_MAX, &images) < 0)
			continue;
		*number = '\0';
		account_add(account_association(account, one), "jobs", images);
		if (job)
			account_set(account_in(job, "by"), one, images);
	}
	free(copy);
}

/* A line that was written again counts where there is no other: it was counted before, or it is the
 * first. */
static bool is_first(struct account *account, const json_t *line)
{
	const char *name = journal_text(line, "job");

	if (has(line, "again") && account_get(account->begun, name))
		return false;
	account_set(account->begun, name, 1);
	return true;
}

static void complete(struct account *account, const json_t *line)
{
	json_t *job = account_job(account, journal_text(line, "job"));

	if (!is_first(account, line))
		return;
	brought(account, job, journal_text(line, "associations"));
	if (!has(line, "associations"))
		account->unattributed += journal_number(line, "images");
	if (!job)
		return;
	account_set(job, "told", 1);
	if (has(line, "images"))
		account_set(job, "images", journal_number(line, "images"));
}

static void resent(struct account *account, const json_t *line)
{
	json_t *job = account_job(account, journal_text(line, "job"));

	if (!is_first(account, line))
		return;
	ends_move(account, journal_text(line, "from"), journal_number(line, "images"));
	if (!job)
		return;
	account_set(job, "told", 1);
	if (has(line, "images"))
		account_set(job, "images", journal_number(line, "images"));
}

static void merged(struct account *account, const json_t *line)
{
	ends_move(account, journal_text(line, "from"), journal_number(line, "images"));
}

/* Each image that did not come into its batch has a line. */
static void not_filed(struct account *account, const json_t *line)
{
	const char *to = journal_text(line, "to");
	const char *name = *to ? to : journal_text(line, "association");

	if (*name)
		account_add(account_association(account, name), "lines", 1);
}

static void quarantined(struct account *account, const json_t *line)
{
	const char *file = journal_text(line, "file");
	json_t *job = account_job(account, journal_text(line, "job"));

	if (job && file_is_image(file))
		account_set(account_in(job, "quarantined"), file, 1);
	not_filed(account, line);
}

static void routed(struct account *account, const json_t *line)
{
	json_t *job = account_job(account, journal_text(line, "job"));
	char *copy = strdup(journal_text(line, "targets")), *rest = copy, *target;

	if (!copy)
		die(EXIT_TEMPORARY, "unable to keep the account: out of memory; try again");
	while (job && (target = strtok_r(rest, ",", &rest)))
		account_set(ends_of(job, target), "planned", 1);
	if (job && !json_object_get(job, "images"))
		account_set(job, "images", journal_number(line, "images"));
	free(copy);
}

/* sent, failed, cancelled, discarded */
static void rested(struct account *account, const json_t *line)
{
	const char *name = journal_text(line, "job");
	json_t *job = account_job(account, name);

	if (job && has(line, "images"))
		ends_tell(ends_of(job, journal_text(line, "target")), journal_text(line, "event"),
			name, journal_number(line, "images"));
	else if (job) /* a dcmspool of before did not say how many were cancelled */
		account_set(ends_of(job, journal_text(line, "target")), "unknown", 1);
}

static void requeued(struct account *account, const json_t *line)
{
	const char *from = journal_text(line, "from"), *target = journal_text(line, "target");
	json_t *job = account_job(account, from);
	json_int_t images = journal_number(line, "images");
	char was[ENDS_NAME_SIZE];

	ends_target(from, was);
	if (!job)
		return;
	ends_take(ends_of(job, was), images);
	if (strcmp(was, target) != 0) {
		account_add(ends_of(job, was), "gone", images);
		account_add(ends_of(job, target), "more", images);
	}
}

static void deleted(struct account *account, const json_t *line)
{
	json_t *job = account_job(account, journal_text(line, "job"));

	if (job)
		account_set(ends_of(job, journal_text(line, "target")), "deleted", 1);
}

static const struct {
	const char *event;
	void (*take)(struct account *account, const json_t *line);
} events[] = {
	{ "association-opened", opened },
	{ "association-ended", ended },
	{ "complete", complete },
	{ "resent", resent },
	{ "merged", merged },
	{ "duplicate", not_filed },
	{ "quarantined", quarantined },
	{ "routed", routed },
	{ "sent", rested },
	{ "failed", rested },
	{ "cancelled", rested },
	{ "discarded", rested },
	{ "requeued", requeued },
	{ "deleted", deleted },
};

void lines_read(struct account *account)
{
	struct journal_reader reader;
	json_t *line;
	int found;

	journal_reader_open(&reader, account->spool, account->from_us - DAY_US, 0);
	while ((found = journal_reader_next(&reader, &line)) > 0) {
		for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
			if (strcmp(journal_text(line, "event"), events[i].event) == 0)
				events[i].take(account, line);
		json_decref(line);
	}
	if (found < 0)
		die(EXIT_TEMPORARY, "unable to read the journal %s/journal/%s: %s; try again",
			account->spool->path, reader.file, strerror(errno));
	account->skipped = reader.skipped;
	journal_reader_close(&reader);
}
