/*
 * The screen. Each line answers one question; what is as it should be takes no room of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonfile.h"
#include "cli/event.h"
#include "cli/moment.h"
#include "cli/show.h"
#include "cli/table.h"
#include "conf/table.h"
#include "status.h"

enum { INDENT = 11, INNER = 4, CONNECTIONS = 12 };

static const char *text_of(const struct buf *text)
{
	if (text->failed)
		no_memory();
	return text->data ? text->data : "";
}

/* Prints what has something to say, and frees. */
static void line(const char *label, struct buf *text)
{
	if (text->length || text->failed)
		show_labelled(text, label, 0, INDENT, false);
	buf_free(text);
}

/* A table stands by itself. */
static void print_table(struct table *table)
{
	const bool any = table->rows > 0;

	if (any)
		(void)putchar('\n'); /* show_close() sees a failure, here and below */
	table_print(table);
	if (any)
		(void)putchar('\n');
}

/* ---- what waits for a person --------------------------------------------------------------- */

static void tell_problems(const struct status *status)
{
	const bool down = status_is_down(status);
	const size_t count = status->problems;
	struct buf text = { 0 };

	show_add(&text, status->spool->path);
	(void)printf("%sdcmspool%s on %s: ", show_colour(SHOW_TITLE), show_colour(SHOW_PLAIN),
		text_of(&text));
	buf_free(&text);
	if (down || count == 0)
		(void)printf("%s%s%s", show_colour(down ? SHOW_BAD : SHOW_GOOD),
			down ? "down" : "well", show_colour(SHOW_PLAIN));
	if (count)
		(void)printf("%s%s%zu thing%s for a person%s", down ? "; " : "",
			show_colour(SHOW_WAITS), count, count == 1 ? " waits" : "s wait",
			show_colour(SHOW_PLAIN));
	(void)putchar('\n');
	for (size_t i = 0; i < count; i++) {
		buf_puts(&text, "! ");
		show_add(&text, status->problem[i].what);
		(void)fputs(show_colour(down && i == 0 ? SHOW_BAD : SHOW_WAITS), stdout);
		show_line(&text, 0);
		(void)fputs(show_colour(SHOW_PLAIN), stdout);
		show_add(&text, status->problem[i].remedy);
		show_whole(&text, INNER);
	}
	if (count)
		(void)putchar('\n');
}

/* ---- what runs ----------------------------------------------------------------------------- */

static void tell_stages(const struct status *status)
{
	const struct services *services = &status->services;
	int64_t since_us = -1;
	struct buf text = { 0 };
	char moment[MOMENT_SIZE];

	for (size_t i = 0; i < services->count; i++) {
		const struct service *one = &services->one[i];
		size_t up = 0, all = 0;

		if (since_us < 0 || (one->pid && one->since_us > 0 && one->since_us < since_us))
			since_us = one->pid ? one->since_us : since_us;
		if (i > 0 && strncmp(one->name, services->one[i - 1].name, one->stage + 1) == 0)
			continue; /* another of that stage */
		for (size_t k = i; k < services->count; k++)
			if (services->one[k].stage == one->stage &&
				strncmp(one->name, services->one[k].name, one->stage) == 0) {
				up += services->one[k].is == SERVICE_UP;
				all++;
			}
		buf_printf(&text, "%s%.*s", text.length ? ", " : "", one->stage, one->name);
		if (all > 1 || up < all)
			buf_printf(&text, up < all ? " %zu of %zu" : " %zu", up, all);
	}
	moment_text(since_us, moment, sizeof(moment));
	if (*moment)
		buf_printf(&text, ": since %s", moment);
	if (services->alive)
		line("up", &text);
	buf_free(&text);
}

/* Those of which there is more to say. */
static void tell_services(const struct status *status)
{
	char moment[MOMENT_SIZE], end[SIZE_SIZE];
	struct buf text = { 0 };

	for (size_t i = 0; i < status->services.count && status->services.alive; i++) {
		const struct service *one = &status->services.one[i];

		if (one->ends == 0 && !one->before && one->is != SERVICE_STARTING &&
			one->is != SERVICE_ENDING)
			continue;
		buf_printf(&text, "%s", one->name);
		if (one->is == SERVICE_STARTING)
			buf_puts(&text, " is starting");
		if (one->is == SERVICE_ENDING)
			buf_puts(&text, " ends after what it is at");
		if (one->ends) {
			moment_text(one->last_us, moment, sizeof(moment));
			end_text(one->last, end);
			buf_printf(&text, "%s ended %ld time%s, the last time at %s (%s)",
				one->is == SERVICE_STARTING || one->is == SERVICE_ENDING ? "," : "",
				one->ends, one->ends == 1 ? "" : "s", moment, end);
		}
		if (one->before)
			buf_puts(&text, "; it has the configuration of before the reload until it "
					"has done what it is at");
		line("", &text);
	}
	if (status->services.before) {
		buf_puts(&text, "a reload or scale is under way");
		line("", &text);
	}
}

/* ---- what comes ---------------------------------------------------------------------------- */

enum { SENDER, FROM, TO, SINCE, IMAGES, RATE, CONNECTION_COLUMNS };
static const struct table_column connection_columns[CONNECTION_COLUMNS] = {
	[SENDER] = { "CONNECTION OF", 13, false, 0 },
	[FROM] = { "FROM", 12, false, 0 },
	[TO] = { "TO", 8, false, 1 },
	[SINCE] = { "SINCE", 8, false, 0 },
	[IMAGES] = { "IMAGES", 6, true, 0 },
	[RATE] = { "A SECOND", 8, true, 0 },
};

static void tell_connection(
	const struct status *status, const struct connection *one, struct table *table)
{
	const char *dropped = jsonfile_text(one->assoc, "dropped");
	const double seconds = (double)(status->now_us - one->since_us) / 1e6;
	char text[MOMENT_SIZE];

	table_row(table);
	table_add(table, SENDER, one->alive ? SHOW_PLAIN : SHOW_FAINT,
		one->dropped ? dropped : jsonfile_text(one->assoc, "calling_aet"));
	table_add(table, FROM, SHOW_PLAIN,
		one->dropped  ? "dropped by hand"
		: !one->alive ? "nobody any more"
			      : jsonfile_text(one->assoc, "peer"));
	table_add(table, TO, SHOW_PLAIN, jsonfile_text(one->assoc, "called_aet"));
	moment_short(one->since_us, text, sizeof(text));
	table_add(table, SINCE, SHOW_PLAIN, text);
	(void)snprintf(text, sizeof(text), "%lu", one->images);
	table_add(table, IMAGES, SHOW_PLAIN, text);
	(void)snprintf(text, sizeof(text), "%.1f",
		one->since_us > 0 && seconds > 0 ? (double)one->images / seconds : 0.0);
	table_add(table, RATE, SHOW_PLAIN, text);
}

static void tell_receiving(const struct status *status)
{
	struct table table;
	struct buf text = { 0 };
	size_t shown = status->connections < CONNECTIONS ? status->connections : CONNECTIONS;

	if (!status->connections)
		buf_puts(&text, "no connection is open");
	else if (shown < status->connections)
		buf_printf(&text,
			"%zu connections are open, the first of them are:", status->connections);
	line("receives", &text);
	table_open(&table, connection_columns, CONNECTION_COLUMNS);
	for (size_t i = 0; i < shown; i++)
		tell_connection(status, &status->connection[i], &table);
	print_table(&table);
	for (size_t i = 0; i < status->lately->refusals; i++) {
		const struct refusal *refusal = &status->lately->refusal[i];
		char moment[MOMENT_SIZE];

		moment_text(refusal->last_us, moment, sizeof(moment));
		buf_printf(&text, "%lu today: ", refusal->count);
		show_add(&text, refusal->reason);
		buf_puts(&text, "; the last ");
		show_add(&text, refusal->last_peer);
		buf_printf(&text, " at %s", moment);
		line(i ? "" : "refused", &text);
	}
}

static void count(struct buf *text, size_t number, const char *one, const char *more)
{
	if (number)
		buf_printf(text, "%s%zu %s", text->length ? ", " : "", number,
			number == 1 ? one : more);
}

static void tell_collecting(const struct status *status)
{
	struct buf text = { 0 };

	count(&text, status->batches, "series", "series");
	if (status->batches)
		buf_printf(&text, " of %zu image%s so far", status->batch_images,
			status->batch_images == 1 ? "" : "s");
	count(&text, status->resent, "to be routed again", "to be routed again");
	count(&text, status->dropped, "dropped by hand", "dropped by hand");
	count(&text, status->routing, "being routed", "being routed");
	line("collects", &text);
	if (status->lately->series)
		buf_printf(&text, "%lu series, %lu images in the last %d minutes",
			status->lately->series, status->lately->images, LATELY_S / 60);
	line("came", &text);
}

/* ---- what goes ----------------------------------------------------------------------------- */

enum { TARGET, STATE, WAITING, OLDEST, SENDING, SENT, QUEUE_COLUMNS };
static const struct table_column queue_columns[QUEUE_COLUMNS] = {
	[TARGET] = { "TARGET", 8, false, 0 },
	[STATE] = { "STATE", 14, false, 0 },
	[WAITING] = { "WAIT", 4, true, 0 },
	[OLDEST] = { "OLDEST", 8, true, 0 },
	[SENDING] = { "GOING", 5, true, 0 },
	[SENT] = { "SENT IN 10 MIN", 8, true, 0 },
};

static enum show_colour state_text(
	const struct status *status, const struct queue *queue, struct buf *out)
{
	char until[MOMENT_SIZE];

	moment_text(queue->pause.until_us, until, sizeof(until));
	if (queue->held || status->all_held) {
		buf_puts(out, "held");
	} else if (!queue->target) {
		buf_puts(out, "not configured");
	} else if (queue->paused) {
		buf_printf(out, "paused%s%s", *until ? " until " : "", until);
		if (*queue->pause.reason)
			buf_printf(out, ": %s", queue->pause.reason);
	} else {
		buf_puts(out, "up");
		return SHOW_GOOD;
	}
	return SHOW_WAITS;
}

static bool is_quiet(const struct status *status, const struct queue *queue)
{
	return queue->target && !queue->held && !status->all_held && !queue->paused &&
	       !queue->waiting && !queue->sending && !lately_sent_to(status->lately, queue->name);
}

static void tell_queue(const struct status *status, const struct queue *queue, struct table *table)
{
	const struct lately_sent *sent = lately_sent_to(status->lately, queue->name);
	char text[48], span[SIZE_SIZE] = "";
	struct buf state = { 0 };
	enum show_colour colour = state_text(status, queue, &state);

	table_row(table);
	table_add(table, TARGET, SHOW_PLAIN, queue->name);
	table_add(table, STATE, colour, text_of(&state));
	buf_free(&state);
	(void)snprintf(text, sizeof(text), "%zu", queue->waiting);
	table_add(table, WAITING, SHOW_PLAIN, text);
	if (queue->oldest_us > 0)
		span_text(status->now_us - queue->oldest_us, span);
	table_add(table, OLDEST, SHOW_PLAIN, span);
	(void)snprintf(text, sizeof(text), "%zu", queue->sending);
	table_add(table, SENDING, SHOW_PLAIN, text);
	(void)snprintf(text, sizeof(text), "%lu series, %lu img", sent ? sent->jobs : 0,
		sent ? sent->images : 0);
	table_add(table, SENT, SHOW_PLAIN, sent ? text : "-");
}

static void tell_queues(const struct status *status)
{
	struct table table;
	struct buf text = { 0 };

	table_open(&table, queue_columns, QUEUE_COLUMNS);
	for (size_t i = 0; i < status->queues; i++) {
		const struct queue *queue = &status->queue[i];

		if (is_quiet(status, queue))
			buf_printf(&text, "%s%s", text.length ? ", " : "", queue->name);
		else
			tell_queue(status, queue, &table);
	}
	if (text.length)
		buf_printf(&text, ": up, nothing waits");
	print_table(&table);
	line("targets", &text);
}

/* ---- the rest ------------------------------------------------------------------------------ */

static void tell_disk(const struct status *status)
{
	const struct disk *disk = &status->disk;
	const double block = (double)disk->fs.f_frsize;
	const struct conf *conf = status->conf;
	char size[SIZE_SIZE], all[SIZE_SIZE];
	struct buf text = { 0 };

	if (!disk->known)
		return;
	size_text((double)disk->fs.f_bavail * block, size);
	size_text((double)disk->fs.f_blocks * block, all);
	buf_printf(&text, "%s of %s free", size, all);
	if (disk->fs.f_files)
		buf_printf(&text, ", %.0f %% of the inodes",
			(double)disk->fs.f_favail * 100 / (double)disk->fs.f_files);
	buf_printf(&text, "; callers are refused below %ld MB", conf->receiver.min_free_mb);
	if (disk->full_us) {
		span_text(disk->full_us - status->now_us, size);
		buf_printf(&text, ", in about %s at the present rate if nothing is deleted", size);
	}
	line("disk", &text);
	count(&text, status->success, "sent", "sent");
	count(&text, status->discard, "discarded", "discarded");
	if (text.length) {
		buf_puts(&text, ": deleted after ");
		conf_print_duration(&text, conf_key_find(CONF_CLEANER, "retention", NULL),
			conf->cleaner.retention_s);
		if (strcmp(conf->cleaner.offpeak, "00:00-24:00") != 0)
			buf_printf(&text, ", between %s", conf->cleaner.offpeak);
	}
	line("keeps", &text);
}

static void tell_errors(const struct status *status)
{
	const struct lately *lately = status->lately;
	struct buf text = { 0 };
	char moment[MOMENT_SIZE];

	for (size_t i = 0; i < LATELY_ERRORS && lately->error[i]; i++) {
		moment_text(journal_time_us(lately->error[i]), moment, sizeof(moment));
		buf_printf(&text, "%s ", moment);
		event_text(lately->error[i], &text);
		buf_puts(&text, *event_subject(lately->error[i]) ? ": " : "");
		show_add(&text, event_subject(lately->error[i]));
		line(i ? "" : "errors", &text);
	}
	if (lately->errors > LATELY_ERRORS) {
		buf_printf(&text, "%lu in all today: dcmspool log since=today", lately->errors);
		line("", &text);
	}
}

void status_text(const struct status *status)
{
	tell_problems(status);
	tell_stages(status);
	tell_services(status);
	tell_receiving(status);
	tell_collecting(status);
	tell_queues(status);
	tell_disk(status);
	tell_errors(status);
}
