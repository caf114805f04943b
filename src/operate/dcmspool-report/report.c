#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "lines.h"
#include "rows.h"
#include "spool/journal_read.h"

/* So long before the period lines are read, to know what came before and is sent in it. */
static const int64_t before_us = INT64_C(24) * 3600 * 1000000;

static void sum(struct report *report)
{
	for (size_t i = 0; i < report->sender.count; i++)
		for (int n = 0; n < NUMBERS; n++)
			report->all[n] += report->sender.row[i].number[n];
	for (size_t i = 0; i < report->refused.count; i++)
		report->all[TIMES] += report->refused.row[i].number[TIMES];
	for (size_t i = 0; i < report->target.count; i++) {
		report->all[RETRIES] += report->target.row[i].number[RETRIES];
		report->all[FAILED_IMAGES] += report->target.row[i].number[FAILED_IMAGES];
		if (report->target.row[i].longest)
			lines_stay(report, &report->target.row[i], report->passed - 1);
	}
}

void report_read(struct report *report, const struct spool *spool, int64_t from_us,
	int64_t until_us, int64_t step_us)
{
	struct journal_reader reader;
	int64_t now_us = clock_now_us();
	json_t *line;
	int more;

	*report = (struct report){ .from_us = from_us,
		.until_us = until_us,
		.step_us = step_us,
		.steps = (size_t)((until_us - from_us + step_us - 1) / step_us),
		.of_job = rows_checked(json_object()),
		.of_association = rows_checked(json_object()),
		.waits = rows_checked(json_object()),
		.told = rows_checked(json_object()) };
	if (report->steps > STEPS_MAX)
		die(EXIT_BUG, "unable to make a report of so many steps");
	report->passed = now_us < until_us ? lines_step(report, now_us) + 1 : report->steps;
	rows_open(&report->sender, ROWS_FIXED);
	rows_open(&report->target, 0);
	rows_open(&report->refused, 0);
	journal_reader_open(&reader, spool, from_us - before_us, until_us);
	while ((more = journal_reader_next(&reader, &line)) > 0) {
		lines_take(report, line);
		json_decref(line);
	}
	if (more < 0)
		die(failure_code(errno),
			"unable to read the journal: %s; be the user who runs dcmspool",
			strerror(errno));
	report->skipped = reader.skipped;
	journal_reader_close(&reader);
	sum(report);
	rows_delays(report);
}

void report_free(struct report *report)
{
	for (size_t i = 0; i < report->jobs; i++)
		free((char *)report->job[i].name);
	free(report->job);
	free(report->sent);
	rows_free(&report->sender);
	rows_free(&report->target);
	rows_free(&report->refused);
	json_decref(report->of_job);
	json_decref(report->of_association);
	json_decref(report->waits);
	json_decref(report->told);
}

static bool says_something(const struct row *row)
{
	for (int n = 0; n < NUMBERS; n++)
		if (row->number[n] > 0)
			return true;
	return row->waiting > 0 || row->worst_us >= 0;
}

static int by_name(const void *a, const void *b)
{
	const struct row *left = *(const struct row *const *)a,
			 *right = *(const struct row *const *)b;

	if (left->number[TIMES] != right->number[TIMES])
		return left->number[TIMES] > right->number[TIMES] ? -1 : 1;
	if (!left->name || !right->name)
		return !left->name - !right->name;
	return strcmp(left->name, right->name);
}

const struct row **report_rows(const struct rows *rows, size_t *count)
{
	const struct row **list = calloc(rows->count + 1, sizeof(const struct row *));

	if (!list)
		(void)rows_checked(NULL);
	*count = 0;
	for (size_t i = 0; i < rows->count && list; i++)
		if (says_something(&rows->row[i]))
			list[(*count)++] = &rows->row[i];
	if (*count > 1)
		qsort(list, *count, sizeof(const struct row *), by_name);
	return list;
}

const char *report_name(const struct report *report, const struct row *row)
{
	if (row->name)
		return row->name;
	return row == &report->sender.row[BY_HAND] ? "brought by hand" : "came earlier";
}

bool report_is_empty(const struct report *report)
{
	size_t rows[3];

	free(report_rows(&report->sender, &rows[0]));
	free(report_rows(&report->target, &rows[1]));
	free(report_rows(&report->refused, &rows[2]));
	return rows[0] + rows[1] + rows[2] == 0;
}
