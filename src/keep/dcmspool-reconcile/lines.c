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

static _Noreturn void no_memory(void)
{
	die(EXIT_TEMPORARY, "unable to keep the account: out of memory; try again");
}

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
	account_add(association, "caller", has(line, "calling_aet"));
	account_add(association, "numbers", has(line, "received"));
	if (journal_number(line, "received") < account_get(association, "received"))
		return;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		account_set(association, numbers[i], journal_number(line, numbers[i]));
}

/* "a=12,b=3": as an object. */
static json_t *brought(const char *text)
{
	char *copy = strdup(text), *rest = copy, *one, *number;
	json_t *by = json_object();
	long images;

	if (!copy || !by)
		no_memory();
	while ((one = strtok_r(rest, ",", &rest))) {
		number = strchr(one, '=');
		if (!number || parse_long(number + 1, 0, LONG_MAX, &images) < 0)
			continue;
		*number = '\0';
		account_set(by, one, images);
	}
	free(copy);
	return by;
}

/* sign: 1: these images came in a job, -1: not so, it was told anew. */
static void count_brought(struct account *account, const json_t *by, json_int_t sign)
{
	const char *name;
	json_t *images;

	json_object_foreach ((json_t *)by, name, images)
		if (*name)
			account_add(account_association(account, name), "jobs",
				sign * json_integer_value(images));
		else
			account->unattributed += sign * json_integer_value(images);
}

/* Of a job that was told before the last line counts: a power failure takes a claim back, and it is
 * told once more by whoever claims it then. One that was written again counts where there is no
 * other. Returns whether it counts. */
static bool begins(struct account *account, const json_t *line)
{
	const char *name = journal_text(line, "job");
	json_t *before = json_object_get(account->begun, name), *by;

	if (before && has(line, "again"))
		return false;
	by = brought(journal_text(line, "associations"));
	if (!has(line, "associations") && strcmp(journal_text(line, "event"), "complete") == 0)
		account_set(by, "", journal_number(line, "images"));
	count_brought(account, before, -1);
	count_brought(account, by, 1);
	if (json_object_set_new(account->begun, name, by) < 0)
		no_memory();
	return true;
}

/* The job that a line tells the beginning of; NULL: of another day, or told before. */
static json_t *begun(struct account *account, const json_t *line)
{
	json_t *job = account_job(account, journal_text(line, "job"));

	if (!begins(account, line) || !job)
		return NULL;
	account_set(job, "told", 1);
	if (has(line, "images"))
		account_set(job, "images", journal_number(line, "images"));
	return job;
}

static void complete(struct account *account, const json_t *line)
{
	json_t *job = begun(account, line), *by;

	if (!job)
		return;
	account_set(job, "decided", 1);
	by = json_object_get(account->begun, journal_text(line, "job"));
	if (json_object_set(job, "by", by) < 0)
		no_memory();
}

/* By hand: to be decided on, or for one target, of copies. */
static void resent(struct account *account, const json_t *line)
{
	json_t *job = begun(account, line);

	if (has(line, "target"))
		return;
	if (job)
		account_set(job, "decided", 1);
	ends_move(account, journal_text(line, "from"), journal_number(line, "images"));
}

static void submitted(struct account *account, const json_t *line)
{
	(void)begun(account, line); /* that there is a line is all */
}

static void merged(struct account *account, const json_t *line)
{
	ends_move(account, journal_text(line, "from"), journal_number(line, "images"));
}

static void duplicate(struct account *account, const json_t *line)
{
	const char *name = journal_text(line, "association");

	if (*name)
		account_add(account_association(account, name), "duplicate_lines", 1);
}

/* A line that was written again counts where there is no other of the file. */
static void quarantined(struct account *account, const json_t *line)
{
	const char *to = journal_text(line, "to"), *as = journal_text(line, "as");
	const char *file = *as ? as : journal_text(line, "file");
	json_t *job = account_job(account, journal_text(line, "job")), *one, *files;

	if (job)
		account_set(account_in(job, "quarantined"), file, 1);
	if (has(line, "job"))
		return;
	one = account_association(account, *to ? to : journal_text(line, "association"));
	files = account_in(one, "files");
	if (!has(line, "again") || !json_object_get(files, file))
		account_add(one, "quarantined_lines", 1);
	account_set(files, file, 1);
}

static void routed(struct account *account, const json_t *line)
{
	json_t *job = account_job(account, journal_text(line, "job"));
	char *copy = strdup(journal_text(line, "targets")), *rest = copy, *target;

	if (!copy)
		no_memory();
	if (job)
		account_set(job, "routed", 1);
	while (job && (target = strtok_r(rest, ",", &rest)))
		account_set(ends_of(job, target), "planned", 1);
	if (job && !json_object_get(job, "images"))
		account_set(job, "images", journal_number(line, "images"));
	free(copy);
}

/* sent, failed, cancelled, discarded */
static void rested(struct account *account, const json_t *line)
{
	const char *name = journal_text(line, "job"), *event = journal_text(line, "event");
	json_t *job = account_job(account, name), *end;

	if (!job)
		return;
	end = ends_of(job, journal_text(line, "target"));
	if (strcmp(event, "discarded") == 0)
		account_set(job, "discarded", 1);
	if (journal_number(line, "requeued") > account_get(end, "requeued"))
		account_set(end, "requeued", journal_number(line, "requeued"));
	if (has(line, "images"))
		ends_tell(end, event, name, journal_number(line, "images"));
	else /* a dcmspool of before did not say how many were cancelled */
		account_set(end, "unknown", 1);
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
	account_add(ends_of(job, target), "requeues", 1);
	if (ends_take(ends_of(job, was), images) && strcmp(was, target) != 0) {
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
	{ "submitted", submitted },
	{ "merged", merged },
	{ "duplicate", duplicate },
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
