#include "tell.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jsonfile.h"
#include "base/log.h"
#include "cli/table.h"
#include "words.h"

/* ---- tables -------------------------------------------------------------------------------- */

enum {
	NAME,
	C_SERIES,
	C_IMAGES,
	C_BYTES,
	MEDIAN,
	WORST,
	C_FAILED,
	C_DISCARDED,
	C_CONNECTIONS,
	C_BROKEN,
	SENDER_COLUMNS,
	C_RETRIES = C_DISCARDED,
	WAITING,
	TARGET_COLUMNS
};

static const struct table_column of_sender[SENDER_COLUMNS] = {
	[NAME] = { "FROM", 10, false, 0 },
	[C_SERIES] = { "SERIES", 6, true, 0 },
	[C_IMAGES] = { "IMAGES", 6, true, 0 },
	[C_BYTES] = { "BYTES", 6, true, 0 },
	[MEDIAN] = { "MEDIAN", 7, true, 0 },
	[WORST] = { "WORST", 7, true, 0 },
	[C_FAILED] = { "FAILED", 6, true, 0 },
	[C_DISCARDED] = { "DISCARDED", 9, true, 3 },
	[C_CONNECTIONS] = { "CONN", 4, true, 2 },
	[C_BROKEN] = { "BROKEN", 6, true, 1 },
};
static const struct table_column of_target[TARGET_COLUMNS] = {
	[NAME] = { "TO", 10, false, 0 },
	[C_SERIES] = { "SERIES", 6, true, 0 },
	[C_IMAGES] = { "IMAGES", 6, true, 0 },
	[C_BYTES] = { "BYTES", 6, true, 0 },
	[MEDIAN] = { "MEDIAN", 7, true, 0 },
	[WORST] = { "WORST", 7, true, 0 },
	[C_FAILED] = { "FAILED", 6, true, 0 },
	[C_RETRIES] = { "RETRIES", 7, true, 2 },
	[WAITING] = { "WAITING", 7, true, 1 },
};
static const struct table_column of_refused[] = {
	{ "REFUSED", 10, false, 0 },
	{ "PEER", 10, false, 0 },
	{ "TIMES", 5, true, 0 },
	{ "WHY", 20, false, 0 },
};

static void add_number(struct table *table, size_t column, long long number, bool bad)
{
	char text[WORDS_SIZE];

	words_number(number, "", text);
	table_add(table, column, bad && number > 0 ? SHOW_BAD : SHOW_PLAIN, text);
}

static void add_common(struct table *table, const char *name, const struct row *row)
{
	char text[WORDS_SIZE];

	table_row(table);
	table_add(table, NAME, row->name ? SHOW_PLAIN : SHOW_FAINT, name);
	add_number(table, C_SERIES, row->number[SERIES], false);
	add_number(table, C_IMAGES, row->number[IMAGES], false);
	words_bytes(row->number[BYTES], text);
	table_add(table, C_BYTES, SHOW_PLAIN, text);
	words_delay(row->median_us, text);
	table_add(table, MEDIAN, SHOW_PLAIN, text);
	words_delay(row->worst_us, text);
	table_add(table, WORST, SHOW_PLAIN, text);
	add_number(table, C_FAILED, row->number[FAILED], true);
}

static void add_sender(struct table *table, const struct report *report, const struct row *row)
{
	add_common(table, report_name(report, row), row);
	add_number(table, C_DISCARDED, row->number[DISCARDED], false);
	add_number(table, C_CONNECTIONS, row->number[CONNECTIONS], false);
	add_number(table, C_BROKEN, row->number[BROKEN], true);
}

static void add_target(struct table *table, const struct report *report, const struct row *row)
{
	add_common(table, report_name(report, row), row);
	add_number(table, C_RETRIES, row->number[RETRIES], false);
	add_number(table, WAITING, row->waiting, false);
}

static void add_refused(struct table *table, const struct report *report, const struct row *row)
{
	table_row(table);
	table_add(table, 0, SHOW_PLAIN, report_name(report, row));
	table_add(table, 1, SHOW_PLAIN, row->peer);
	add_number(table, 2, row->number[TIMES], false);
	table_add(table, 3, SHOW_PLAIN, row->reason);
}

static void print(const struct report *report, const struct rows *rows,
	const struct table_column *column, size_t columns,
	void (*add)(struct table *, const struct report *, const struct row *), bool *any)
{
	size_t count;
	const struct row **list = report_rows(rows, &count);
	struct table table;

	if (count > 0 && *any)
		(void)putchar('\n'); /* show_close() sees a failure */
	*any |= count > 0;
	table_open(&table, column, columns);
	for (size_t i = 0; i < count; i++)
		add(&table, report, list[i]);
	table_print(&table);
	free(list);
}

void tell_tables(const struct report *report)
{
	bool any = false;

	print(report, &report->sender, of_sender, SENDER_COLUMNS, add_sender, &any);
	print(report, &report->target, of_target, TARGET_COLUMNS, add_target, &any);
	print(report, &report->refused, of_refused, sizeof(of_refused) / sizeof(*of_refused),
		add_refused, &any);
	if (!any)
		(void)puts("nothing came, and nothing was sent"); /* as above */
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static const char *const names[NUMBERS] = { [SERIES] = "series",
	[IMAGES] = "images",
	[BYTES] = "bytes",
	[CONNECTIONS] = "connections",
	[BROKEN] = "broken",
	[DUPLICATES] = "duplicates",
	[QUARANTINED] = "quarantined",
	[DISCARDED] = "discarded",
	[RETRIES] = "retries",
	[FAILED] = "failed",
	[FAILED_IMAGES] = "failed_images",
	[TIMES] = "times" };

enum {
	BIT_BOTH = 1 << SERIES | 1 << IMAGES | 1 << BYTES | 1 << FAILED,
	BIT_SENDER = BIT_BOTH | 1 << CONNECTIONS | 1 << BROKEN | 1 << DUPLICATES |
		     1 << QUARANTINED | 1 << DISCARDED,
	BIT_TARGET = BIT_BOTH | 1 << RETRIES | 1 << FAILED_IMAGES
};

static json_t *seconds(int64_t us)
{
	return us < 0 ? NULL : json_real((double)us / 1000000);
}

static json_t *numbers(unsigned bits, const long long number[NUMBERS])
{
	json_t *object = json_object();

	for (int n = 0; n < NUMBERS; n++)
		if (bits & 1U << n)
			(void)json_object_set_new(object, names[n], json_integer(number[n]));
	return object;
}

/* Without memory it is NULL, of which show_json() dies. */
static json_t *row_object(const char *what, const struct row *row, unsigned bits)
{
	json_t *object = json_pack("{s:o?, s:o*, s:o*, s:o*, s:o*, s:o*, s:o*}", what,
		row->name ? jsonfile_string(row->name) : NULL, "peer",
		row->peer ? jsonfile_string(row->peer) : NULL, "reason",
		row->reason ? jsonfile_string(row->reason) : NULL, "median_s",
		seconds(row->median_us), "worst_s", seconds(row->worst_us), "worst_job",
		row->worst_job ? json_string(row->worst_job) : NULL, "waiting",
		bits == BIT_TARGET ? json_integer(row->waiting) : NULL);
	json_t *more = numbers(bits, row->number);

	if (object && more)
		(void)json_object_update(object, more);
	json_decref(more);
	return object;
}

static json_t *array(const struct rows *rows, const char *what, unsigned bits)
{
	size_t count;
	const struct row **list = report_rows(rows, &count);
	json_t *all = json_array();

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(all, row_object(what, list[i], bits)) < 0)
			die(EXIT_TEMPORARY, "unable to print: out of memory; try again");
	free(list);
	return all;
}

static json_t *moment(int64_t time_us)
{
	char text[SPOOL_RFC3339_SIZE];

	spool_rfc3339(time_us, text, sizeof(text));
	return json_string(text);
}

/* The images that came, bar by bar of the chart. */
static json_t *bars(const struct report *report)
{
	json_t *all = json_array();

	for (size_t step = 0; step < report->passed; step += STEPS_OF_A_BAR) {
		long long images = 0;

		for (size_t i = step; i < step + STEPS_OF_A_BAR && i < report->passed; i++)
			images += report->images[i];
		(void)json_array_append_new(
			all, json_pack("{s:o, s:I}", "from",
				     moment(report->from_us + (int64_t)step * report->step_us),
				     "images", (json_int_t)images));
	}
	return all;
}

void tell_json(const struct report *report)
{
	json_t *all = json_pack("{s:o, s:o, s:o*, s:o*, s:o, s:o, s:o, s:o}", "from",
		moment(report->from_us), "until", moment(report->until_us), "median_s",
		seconds(report->median_us), "worst_s", seconds(report->worst_us), "senders",
		array(&report->sender, "sender", BIT_SENDER), "targets",
		array(&report->target, "target", BIT_TARGET), "refused",
		array(&report->refused, "caller", 1U << TIMES), "received", bars(report));
	json_t *more = numbers(BIT_SENDER | BIT_TARGET | 1U << TIMES, report->all);

	if (all && more)
		(void)json_object_update(all, more);
	json_decref(more);
	show_json(all);
}
