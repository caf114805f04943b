#include "tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "base/jsonfile.h"
#include "base/str.h"
#include "cli/event.h"
#include "cli/listing.h"
#include "cli/moment.h"
#include "cli/show.h"
#include "spool/journal_read.h"
#include "spool/plan.h"
#include "spool/series.h"

/* Columns: of labels, of what stands behind them, of what belongs to a place. */
enum { MARGIN = 2, TEXT = 13, INNER = 4 };

static void line(const char *label, struct buf *text)
{
	show_labelled(text, label, MARGIN, TEXT, false);
}

/* Adds the text, when there is one, behind what joins it to the text before it. */
static void add(struct buf *out, const char *join, const char *text)
{
	if (!*text)
		return;
	buf_puts(out, out->length ? join : join + strspn(join, ", "));
	show_add(out, text);
}

static void tags_line(const char *label, const json_t *series, ...)
{
	struct buf text = { 0 };
	const char *join, *tag;
	va_list args;

	va_start(args, series);
	while ((join = va_arg(args, const char *))) {
		tag = va_arg(args, const char *);
		add(&text, join, series_tag(series, tag));
	}
	va_end(args);
	if (text.length)
		line(label, &text);
	buf_free(&text);
}

/* ---- the series ---------------------------------------------------------------------------- */

static void tell_series(const struct spool *spool, struct item *item)
{
	const json_t *series = item_series(spool, item), *sender = series_sender(series);
	char moment[MOMENT_SIZE];
	struct buf text = { 0 };

	tags_line("patient", series, "", "PatientName", ", ID ", "PatientID", ", born ",
		"PatientBirthDate", ", ", "PatientSex", NULL);
	tags_line("study", series, "", "StudyDescription", ", accession ", "AccessionNumber", ", ",
		"StudyInstanceUID", NULL);
	tags_line("series", series, "", "SeriesNumber", " ", "SeriesDescription", ", ", "Modality",
		", ", "SeriesInstanceUID", NULL);
	moment_full(item->time_us, moment, sizeof(moment));
	buf_printf(&text, "%zu%s%s", item_images(spool, item), *moment ? ", the first of " : "",
		moment);
	line("images", &text);
	add(&text, "", jsonfile_text(sender, "calling_aet"));
	add(&text, " at ", jsonfile_text(sender, "peer"));
	add(&text, " to ", jsonfile_text(sender, "called_aet"));
	add(&text, ", dropped by hand: ", jsonfile_text(sender, "dropped"));
	add(&text, ", connection ", jsonfile_text(sender, "association"));
	if (text.length)
		line("sender", &text);
	buf_free(&text);
}

/* ---- the decision -------------------------------------------------------------------------- */

static void add_names(struct buf *out, const json_t *names, const json_t *plan)
{
	const char *priority;
	json_t *name;
	size_t i;

	json_array_foreach (names, i, name) {
		const char *text = json_is_string(name) ? json_string_value(name) : "?";

		buf_puts(out, i ? ", " : "");
		show_add(out, text);
		priority = jsonfile_text(plan_priorities(plan), text);
		if (plan && *priority) {
			buf_puts(out, " (");
			show_add(out, priority);
			buf_puts(out, ")");
		}
	}
}

/* What the router wrote down then; rules may have changed since. */
static void tell_plan(const json_t *plan)
{
	const char *discarded_by = jsonfile_text(plan, "discarded_by"), *rule;
	char moment[MOMENT_SIZE];
	struct buf text = { 0 };
	json_t *why;

	if (!plan)
		return;
	moment_full(spool_stamp_time(jsonfile_text(plan, "time")), moment, sizeof(moment));
	buf_puts(&text, json_array_size(plan_targets(plan)) ? "to " : "discarded");
	add_names(&text, plan_targets(plan), plan);
	if (*discarded_by) {
		buf_puts(&text, " by rule ");
		show_add(&text, discarded_by);
	} else if (json_array_size(plan_rules(plan))) {
		buf_puts(
			&text, json_array_size(plan_rules(plan)) == 1 ? " by rule " : " by rules ");
		add_names(&text, plan_rules(plan), NULL);
	} else {
		buf_puts(&text, ": no rule applied");
	}
	buf_printf(&text, "%s%s", *moment ? ", on " : "", moment);
	line("decided", &text);
	json_object_foreach (json_object_get(plan, "seen"), rule, why) {
		buf_puts(&text, "rule ");
		show_add(&text, rule);
		buf_puts(&text, " because of image ");
		show_add(&text, plan_seen(plan, rule));
		line("", &text);
	}
	json_object_foreach (plan_failed(plan), rule, why) {
		buf_puts(&text, "rule ");
		show_add(&text, rule);
		buf_puts(&text, " failed: ");
		show_add(&text, jsonfile_text(plan_failed(plan), rule));
		line("", &text);
	}
}

/* ---- places -------------------------------------------------------------------------------- */

static void tell_waits(const struct disk_names *waits)
{
	struct buf text = { 0 };

	for (size_t i = 0; i < waits->count; i++) {
		show_add(&text, waits->name[i]);
		show_labelled(&text, i ? "" : "waits: ", INNER, TEXT, false);
	}
}

static void tell_reason(const char *reason)
{
	struct buf text = { 0 };
	size_t length;

	for (bool first = true; reason && *reason; reason += length + (reason[length] != '\0')) {
		char part[1000];

		length = strcspn(reason, "\n");
		(void)snprintf(part, sizeof(part), "%.*s", (int)length, reason); /* may be cut */
		show_add(&text, part);
		show_labelled(&text, first ? "why: " : "", INNER, TEXT, false);
		first = false;
	}
}

static void tell_place(const struct spool *spool, const struct walk *walk,
	const struct known_place *known, bool all)
{
	struct buf text = { 0 }, path = { 0 };
	enum show_colour colour = listing_place(spool, walk, known->place, &text);

	place_path(known->place, &path);
	(void)printf("%*s%s%s%s", MARGIN, "", colour == SHOW_PLAIN ? "" : show_colour(colour),
		text.data ? text.data : "", colour == SHOW_PLAIN ? "" : show_colour(SHOW_PLAIN));
	(void)printf(", %zu image%s, in ", known->images, known->images == 1 ? "" : "s");
	buf_free(&text);
	show_add(&text, path.data ? path.data : "");
	show_whole(&text, 0);
	buf_free(&path);
	tell_waits(&known->waits);
	tell_reason(known->reason);
	answers_tell(known->answers, INNER, TEXT, all);
}

/* ---- times --------------------------------------------------------------------------------- */

static void tell_times(const json_t *journal)
{
	char moment[MOMENT_SIZE];
	struct buf text = { 0 };
	json_t *one;
	size_t i;

	if (json_array_size(journal))
		(void)printf("%*s%stimes%s\n", MARGIN, "", show_colour(SHOW_TITLE),
			show_colour(SHOW_PLAIN));
	json_array_foreach (journal, i, one) {
		moment_full(journal_time_us(one), moment, sizeof(moment));
		event_text(one, &text);
		show_labelled(&text, moment, INNER, INNER + sizeof("2026-11-28 14:03:01 "), false);
	}
}

void tell_text(
	const struct spool *spool, const struct walk *walk, const struct known *known, bool all)
{
	struct buf text = { 0 };

	(void)fputs(show_colour(SHOW_TITLE), stdout);
	show_add(&text, known->item->name);
	(void)printf("%s%s\n", text.data ? text.data : "", show_colour(SHOW_PLAIN));
	buf_free(&text);
	tell_series(spool, known->item);
	tell_plan(item_plan(spool, known->item));
	for (size_t i = 0; i < known->item->count; i++)
		tell_place(spool, walk, &known->place[i], all);
	tell_times(known->journal);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

void tell_json(const struct spool *spool, const struct walk *walk, const struct known *known)
{
	json_t *object = listing_object(spool, walk, known->item), *place;
	const json_t *plan = item_plan(spool, known->item);
	size_t i;

	json_array_foreach (json_object_get(object, "places"), i, place) {
		const struct known_place *one = &known->place[i];
		json_t *waits = json_array();

		for (size_t k = 0; k < one->waits.count; k++)
			(void)json_array_append_new(waits, jsonfile_string(one->waits.name[k]));
		(void)json_object_set_new(place, "images", json_integer((json_int_t)one->images));
		(void)json_object_set_new(place, "waits", waits);
		(void)json_object_set(place, "answers", one->answers);
		if (one->reason)
			(void)json_object_set_new(place, "reason", jsonfile_string(one->reason));
	}
	if (plan)
		(void)json_object_set(object, "plan", (json_t *)plan);
	(void)json_object_set(object, "journal", known->journal);
	show_json(object);
}
