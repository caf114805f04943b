#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rows.h"
#include "spool/job.h"
#include "spool/journal_read.h"

enum { KEY_SIZE = 600 };

/* A line that is being read. */
struct line {
	const json_t *json;
	int64_t time_us;
	bool in; /* of the period, not before */
};

static const char *text(const struct line *line, const char *key)
{
	return journal_text(line->json, key);
}

static void add(struct row *row, const struct line *line, enum number number, long long n)
{
	if (line->in)
		row->number[number] += n;
}

/* ---- what waits ---------------------------------------------------------------------------- */

/* Where the moment is; before the period: 0. */
size_t lines_step(const struct report *report, int64_t time_us)
{
	size_t step = time_us <= report->from_us
			      ? 0
			      : (size_t)((time_us - report->from_us) / report->step_us);

	return step < report->steps ? step : report->steps - 1;
}

/* The queue was as long as it is until then. */
void lines_stay(const struct report *report, struct row *row, size_t step)
{
	if (!row->longest)
		row->longest = rows_steps(report->steps);
	for (; row->told <= step && row->told < report->steps; row->told++)
		row->longest[row->told] = row->waiting;
}

static void change(const struct report *report, struct row *row, int64_t time_us, long by)
{
	size_t step = lines_step(report, time_us);

	lines_stay(report, row, step);
	row->waiting += by;
	if (row->waiting > row->longest[step] || time_us < report->from_us)
		row->longest[step] = row->waiting;
}

static void key_of(size_t job, size_t target, const char *event, char out[KEY_SIZE])
{
	(void)snprintf(out, KEY_SIZE, "%zu %zu%s", job, target, event);
}

static void wait_for(struct report *report, const struct line *line, size_t job, size_t target)
{
	char key[KEY_SIZE];

	key_of(job, target, "", key);
	if (json_object_get(report->waits, key))
		return;
	if (json_object_set_new(report->waits, key, json_true()) < 0)
		(void)rows_checked(NULL);
	change(report, &report->target.row[target], line->time_us, 1);
}

static void ends(struct report *report, const struct line *line, size_t job, size_t target)
{
	char key[KEY_SIZE];

	key_of(job, target, "", key);
	if (json_object_del(report->waits, key) == 0)
		change(report, &report->target.row[target], line->time_us, -1);
}

/* Was this said before? Then the line says it again. */
static bool is_told(struct report *report, const struct line *line, size_t job, size_t target)
{
	char key[KEY_SIZE];
	bool before;

	key_of(job, target, text(line, "event"), key);
	before = json_object_get(report->told, key) != NULL;
	if (!before && json_object_set_new(report->told, key, json_true()) < 0)
		(void)rows_checked(NULL);
	return before && *text(line, "again");
}

/* ---- jobs ---------------------------------------------------------------------------------- */

static bool base_of(const char *name, char out[JOB_NAME_SIZE])
{
	size_t length = job_base(name);

	(void)snprintf(out, JOB_NAME_SIZE, "%.*s", (int)length, name);
	return length > 0;
}

/* The place of the job whose name this begins with; of one that nobody knows its first image's
 * arrival is known. */
static size_t job_of(struct report *report, const char *name)
{
	char base[JOB_NAME_SIZE];
	const json_t *known;
	size_t at = report->jobs;

	if (!base_of(name, base))
		(void)snprintf(base, sizeof(base), "%s", "");
	known = json_object_get(report->of_job, base);
	if (known)
		return (size_t)json_integer_value(known);
	if (json_object_set_new(report->of_job, base, json_integer((json_int_t)at)) < 0)
		(void)rows_checked(NULL);
	report->job = rows_room(report->job, report->jobs++, sizeof(*report->job));
	report->job[at] = (struct job){
		.name = rows_copy(base), .sender = UNKNOWN, .since_us = spool_stamp_time(base)
	};
	return at;
}

static size_t target_of(struct report *report, const char *name)
{
	return rows_find(&report->target, name, name);
}

/* ---- events -------------------------------------------------------------------------------- */

static void opened(struct report *report, const struct line *line)
{
	const char *name = text(line, "calling_aet");
	size_t sender = rows_find(&report->sender, name, name);

	if (json_object_set_new(report->of_association, text(line, "association"),
		    json_integer((json_int_t)sender)) < 0)
		(void)rows_checked(NULL);
	add(&report->sender.row[sender], line, CONNECTIONS, 1);
}

static size_t sender_of(const struct report *report, const char *association)
{
	const json_t *known = json_object_get(report->of_association, association);

	return known ? (size_t)json_integer_value(known) : UNKNOWN;
}

static void ended(struct report *report, const struct line *line)
{
	struct row *row = &report->sender.row[sender_of(report, text(line, "association"))];

	add(row, line, BROKEN, strcmp(text(line, "how"), "clean") != 0);
	add(row, line, DUPLICATES, journal_number(line->json, "duplicates"));
	add(row, line, QUARANTINED, journal_number(line->json, "quarantined"));
}

/* A connection, or an image of one. */
static void refused(struct report *report, const struct line *line)
{
	const char *name = text(line, "calling_aet"), *peer = text(line, "peer");
	char key[KEY_SIZE];
	struct row *row;
	size_t at;

	if (!line->in)
		return;
	(void)snprintf(key, sizeof(key), "%s %s %s", peer, text(line, "event"), name);
	at = rows_find(&report->refused, key, name); /* the rows may move */
	row = &report->refused.row[at];
	add(row, line, TIMES, 1);
	free(row->peer);
	free(row->reason);
	row->peer = rows_copy(peer);
	row->reason = rows_copy(text(line, "reason"));
}

/* Who has brought a part of it: the first of "a=12,b=3". */
static size_t bringer(const struct report *report, const struct line *line)
{
	char association[KEY_SIZE];

	(void)snprintf(association, sizeof(association), "%s", text(line, "associations"));
	association[strcspn(association, "=")] = '\0';
	return *association ? sender_of(report, association) : BY_HAND;
}

static struct job *arrived(struct report *report, const struct line *line)
{
	size_t at = job_of(report, text(line, "job")); /* the jobs may move */
	struct job *job = &report->job[at];
	int64_t last_us = spool_stamp_time(text(line, "last"));

	job->images = journal_number(line->json, "images");
	job->bytes = journal_number(line->json, "bytes");
	job->since_us = last_us < 0 ? line->time_us : last_us;
	return job;
}

static void complete(struct report *report, const struct line *line)
{
	bool new = !json_object_get(report->of_job, text(line, "job"));
	struct job *job;
	struct row *row;

	if (!new &&*text(line, "again"))
		return;
	job = arrived(report, line);
	job->sender = bringer(report, line);
	row = &report->sender.row[job->sender];
	add(row, line, SERIES, 1);
	add(row, line, IMAGES, job->images);
	add(row, line, BYTES, job->bytes);
	if (line->in)
		report->images[lines_step(report, job->since_us)] += job->images;
}

/* Also what was submitted: with a target they lie in its queue. */
static void resent(struct report *report, const struct line *line)
{
	const char *from = text(line, "from"), *target = text(line, "target");
	size_t origin = *from ? job_of(report, from) : 0;
	struct job *job = arrived(report, line);

	job->sender = *from ? report->job[origin].sender : BY_HAND;
	if (*target)
		wait_for(report, line, (size_t)(job - report->job), target_of(report, target));
}

static void routed(struct report *report, const struct line *line)
{
	char *copy = rows_copy(text(line, "targets")), *rest = copy, *target;
	size_t job = job_of(report, text(line, "job"));

	while ((target = strtok_r(rest, ",", &rest)))
		wait_for(report, line, job, target_of(report, target));
	free(copy);
}

static void requeued(struct report *report, const struct line *line)
{
	size_t job = job_of(report, text(line, "job"));

	report->job[job].since_us = line->time_us;
	wait_for(report, line, job, target_of(report, text(line, "target")));
}

static void retried(struct report *report, const struct line *line)
{
	size_t target = target_of(report, text(line, "target"));

	add(&report->target.row[target], line, RETRIES, 1);
}

static void sent(struct report *report, const struct line *line)
{
	size_t at = job_of(report, text(line, "job")),
	       target = target_of(report, text(line, "target"));
	const struct job *job = &report->job[at];
	struct row *row = &report->target.row[target];
	long long images = journal_number(line->json, "images");

	ends(report, line, at, target);
	if (is_told(report, line, at, target) || !line->in)
		return;
	add(row, line, SERIES, 1);
	add(row, line, IMAGES, images);
	if (job->images > 0) /* what was refused was as large as the rest */
		add(row, line, BYTES,
			(long long)((double)job->bytes * (double)images / (double)job->images));
	if (job->since_us < 0 || job->since_us > line->time_us)
		return; /* the clock was set */
	report->sent = rows_room(report->sent, report->sents, sizeof(*report->sent));
	report->sent[report->sents++] = (struct sent){ .time_us = line->time_us,
		.delay_us = line->time_us - job->since_us,
		.sender = job->sender,
		.target = target,
		.job = at };
}

static void failed(struct report *report, const struct line *line)
{
	size_t at = job_of(report, text(line, "job")),
	       target = target_of(report, text(line, "target"));

	ends(report, line, at, target);
	if (is_told(report, line, at, target))
		return;
	add(&report->target.row[target], line, FAILED, 1);
	add(&report->target.row[target], line, FAILED_IMAGES, journal_number(line->json, "images"));
	add(&report->sender.row[report->job[at].sender], line, FAILED, 1);
}

static void cancelled(struct report *report, const struct line *line)
{
	ends(report, line, job_of(report, text(line, "job")),
		target_of(report, text(line, "target")));
}

static void discarded(struct report *report, const struct line *line)
{
	size_t at = job_of(report, text(line, "job"));

	if (!is_told(report, line, at, 0))
		add(&report->sender.row[report->job[at].sender], line, DISCARDED, 1);
}

static const struct {
	const char *event;
	void (*take)(struct report *report, const struct line *line);
} events[] = {
	{ "association-opened", opened },
	{ "association-ended", ended },
	{ "association-refused", refused },
	{ "image-refused", refused },
	{ "complete", complete },
	{ "resent", resent },
	{ "submitted", resent },
	{ "routed", routed },
	{ "requeued", requeued },
	{ "retried", retried },
	{ "sent", sent },
	{ "failed", failed },
	{ "cancelled", cancelled },
	{ "discarded", discarded },
};

void lines_take(struct report *report, const json_t *json)
{
	struct line line = { .json = json, .time_us = journal_time_us(json) };
	const char *event = journal_text(json, "event");

	line.in = line.time_us >= report->from_us;
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (strcmp(events[i].event, event) == 0) {
			events[i].take(report, &line);
			return;
		}
}
