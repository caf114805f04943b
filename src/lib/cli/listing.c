#include "cli/listing.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jsonfile.h"
#include "base/log.h"
#include "cli/moment.h"
#include "cli/table.h"
#include "spool/job.h"
#include "spool/plan.h"
#include "spool/retry.h"
#include "spool/series.h"

/* ---- a place in words ---------------------------------------------------------------------- */

static int64_t not_before_us(const struct spool *spool, const struct place *place)
{
	struct retry retry = { 0 };
	int dir = place_open(spool, place);

	if (dir >= 0) {
		retry_load(dir, &retry);
		(void)close(dir); /* only read */
	}
	return retry.not_before_us > clock_now_us() ? retry.not_before_us : 0;
}

/* What the whole target waits for comes before what the job does. */
static enum show_colour add_waiting(const struct spool *spool, const struct walk_queue *queue,
	const struct place *place, struct buf *out)
{
	char moment[MOMENT_SIZE];
	int64_t retry_us;

	if (queue->held) {
		buf_puts(out, "held");
		return SHOW_WAITS;
	}
	if (queue->paused) {
		moment_text(queue->pause.until_us, moment, sizeof(moment));
		buf_printf(out, "paused%s%s", *moment ? " until " : "", moment);
		return SHOW_WAITS;
	}
	retry_us = not_before_us(spool, place);
	moment_text(retry_us ? retry_us : -1, moment, sizeof(moment));
	buf_printf(out, "waiting%s%s", retry_us ? ", next try " : "", moment);
	return retry_us ? SHOW_WAITS : SHOW_PLAIN;
}

enum show_colour listing_place(const struct spool *spool, const struct walk *walk,
	const struct place *place, struct buf *out)
{
	static const enum show_colour colours[PLACE_STATES] = {
		[PLACE_SENT] = SHOW_GOOD, [PLACE_FAILED] = SHOW_BAD, [PLACE_QUARANTINED] = SHOW_BAD
	};

	if (place->target) {
		buf_puts(out, place->target);
		buf_puts(out, ": ");
	}
	if (place->state == PLACE_WAITING)
		return add_waiting(spool, walk_queue(walk, place->target), place, out);
	buf_puts(out, place_state_name(place->state));
	return colours[place->state];
}

/* ---- the table ----------------------------------------------------------------------------- */

enum { WHEN, PATIENT, ID, ACCESSION, STUDY, SERIES, MODALITY, IMAGES, WHERE, JOB, COLUMNS };

/* On 80 columns: all but accession, study and job. */
static const struct table_column columns[COLUMNS] = {
	[WHEN] = { "WHEN", 12, false, 0 },
	[PATIENT] = { "PATIENT", 10, false, 0 },
	[ID] = { "ID", 6, false, 0 },
	[ACCESSION] = { "ACCESSION", 6, false, 2 },
	[STUDY] = { "STUDY", 8, false, 3 },
	[SERIES] = { "SERIES", 8, false, 0 },
	[MODALITY] = { "MOD", 3, false, 0 },
	[IMAGES] = { "IMG", 3, true, 0 },
	[WHERE] = { "WHERE", 16, false, TABLE_CUT_LAST },
	[JOB] = { "JOB", 41, false, 4 },
};

static const char *checked(const struct buf *text)
{
	if (text->failed)
		die(EXIT_TEMPORARY, "unable to print: out of memory; try again");
	return text->data ? text->data : "";
}

/* "2 Localizer". What has no tags is known by its name. */
static void add_series(struct table *table, const json_t *series, const struct item *item)
{
	const char *number = series_tag(series, "SeriesNumber"),
		   *description = series_tag(series, "SeriesDescription");
	struct buf text = { 0 };

	buf_printf(&text, "%s%s%s", number, *number && *description ? " " : "", description);
	if (!text.length && !job_base(item->name))
		buf_puts(&text, item->name);
	table_add(table, SERIES, SHOW_PLAIN, checked(&text));
	buf_free(&text);
}

static void add_where(struct table *table, const struct spool *spool, const struct walk *walk,
	const struct item *item, bool all)
{
	for (size_t i = 0; i < item->count; i++) {
		struct buf text = { 0 };
		enum show_colour colour = listing_place(spool, walk, &item->place[i], &text);

		if (item->place[i].meant || all)
			table_add(table, WHERE, item->place[i].meant ? colour : SHOW_FAINT,
				checked(&text));
		buf_free(&text);
	}
}

static void add_row(struct table *table, const struct spool *spool, const struct walk *walk,
	struct item *item, bool all)
{
	static const struct {
		int column;
		const char *tag;
	} tags[] = { { PATIENT, "PatientName" }, { ID, "PatientID" },
		{ ACCESSION, "AccessionNumber" }, { STUDY, "StudyDescription" },
		{ MODALITY, "Modality" } };
	const json_t *series = item_series(spool, item);
	char text[MOMENT_SIZE];

	table_row(table);
	(show_columns() ? moment_short : moment_text)(item->time_us, text, sizeof(text));
	table_add(table, WHEN, SHOW_PLAIN, text);
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		table_add(table, tags[i].column, SHOW_PLAIN, series_tag(series, tags[i].tag));
	add_series(table, series, item);
	(void)snprintf(text, sizeof(text), "%zu", item_images(spool, item));
	table_add(table, IMAGES, SHOW_PLAIN, text);
	add_where(table, spool, walk, item, all);
	table_add(table, JOB, SHOW_FAINT, item->name);
}

void listing_table(const struct spool *spool, struct walk *walk, bool all)
{
	struct table table;

	table_open(&table, columns, COLUMNS);
	for (size_t i = 0; i < walk->count; i++)
		add_row(&table, spool, walk, &walk->item[i], all);
	table_print(&table);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

/* NULL for a moment that is not known, or never. */
static json_t *moment(int64_t time_us)
{
	char text[SPOOL_RFC3339_SIZE];

	if (time_us <= 0)
		return NULL;
	spool_rfc3339(time_us, text, sizeof(text));
	return json_string(text);
}

static json_t *pause_object(const struct pause *pause)
{
	return json_pack("{s:o*, s:o*, s:I, s:o}", "until", moment(pause->until_us), "since",
		moment(pause->since_us), "failures", (json_int_t)pause->failures, "reason",
		jsonfile_string(pause->reason));
}

static json_t *place_object(
	const struct spool *spool, const struct walk *walk, const struct place *place)
{
	const struct walk_queue *queue = walk_queue(walk, place->target);
	bool waits = place->state == PLACE_WAITING;
	struct buf path = { 0 };
	json_t *object;

	place_path(place, &path);
	object = json_pack("{s:s, s:o*, s:o, s:b, s:o*, s:o*, s:o*}", "state",
		place_state_name(place->state), "target",
		place->target ? jsonfile_string(place->target) : NULL, "path",
		jsonfile_string(checked(&path)), "meant", place->meant, "held",
		waits && queue->held ? json_true() : NULL, "paused",
		waits && queue->paused ? pause_object(&queue->pause) : NULL, "not_before",
		waits ? moment(not_before_us(spool, place)) : NULL);
	buf_free(&path);
	return object;
}

json_t *listing_object(const struct spool *spool, const struct walk *walk, struct item *item)
{
	const json_t *series = item_series(spool, item);
	json_t *places = json_array();

	for (size_t i = 0; i < item->count; i++)
		(void)json_array_append_new(places, place_object(spool, walk, &item->place[i]));
	return json_pack("{s:o, s:o*, s:I, s:O*, s:O*, s:O*, s:o}", "job",
		jsonfile_string(item->name), "received", moment(item->time_us), "images",
		(json_int_t)item_images(spool, item), "rules", plan_rules(item_plan(spool, item)),
		"sender", series_sender(series), "tags", series_tags(series), "places", places);
}

void listing_json(const struct spool *spool, struct walk *walk)
{
	for (size_t i = 0; i < walk->count; i++)
		show_json(listing_object(spool, walk, &walk->item[i]));
}
