/*
 * globals: mercure's settings beside targets and rules.
 */
#include "import.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "decide/names.h"

/* Why the others have no counterpart. */
static const struct {
	const char *pattern, *why;
} others[] = {
	{ "*_folder", "no counterpart: the spool has its own directories; see the key spool" },
	{ "*_scan_interval", "not needed: the programs wait for events" },
	{ "study_*_trigger", "no counterpart: each series goes when it is complete" },
	{ "emergency_clean_percentage",
		"no counterpart: receiver.min_free holds senders off before the disk is full" },
	{ "graphite_*", "no counterpart: the journal has all events" },
	{ "influxdb_*", "no counterpart: the journal has all events" },
	{ "bookkeeper*", "no counterpart: the journal has all events" },
	{ "modules", "no counterpart: images are not processed" },
	{ "process*", "no counterpart: images are not processed" },
	{ "support_root_modules", "no counterpart: images are not processed" },
	{ "dicom_retrieve", "no counterpart: nothing is fetched" },
	{ "email_*", "no counterpart: nobody is notified" },
	{ "webhook_*", "no counterpart: nobody is notified" },
	{ "phi_notifications", "no counterpart: nobody is notified" },
	{ "server_time", "no counterpart: hours are local time of the machine" },
	{ "local_time", "no counterpart: hours are local time of the machine" },
};

static void explain_others(struct part *part)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(part->left, next, key, value)
	{
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
			if (fnmatch(others[i].pattern, key, 0) != 0)
				continue;
			drop(part, key, others[i].why);
			break; /* key is gone */
		}
	}
}

/* Seconds of mercure as a duration; carried when there are some. */
static void carry_seconds(struct part *part, const char *from, const char *to)
{
	const char *seconds = take(part, from);
	char text[80];

	if (!*seconds)
		return;
	(void)snprintf(text, sizeof(text), "%.64ss", seconds); /* fits */
	if (!put(part, to, text))
		note(part, from, "%s cannot have this value, and keeps its default", to);
}

/* A number of mercure's that all targets get; 0 when there is none that they can have. */
static long take_number(struct part *part, const char *key, long max)
{
	const char *text = take(part, key);
	long number = 0;

	if (*text && parse_long(text, 1, max, &number) < 0)
		note(part, key, "1 to %ld are possible; the default of the targets is kept", max);
	return number;
}

/* "6:00" is "06:00" for mercure. */
static bool read_time(const char *text, unsigned *minute)
{
	unsigned hour, rest;
	char more;

	if (sscanf(text, "%2u:%2u%c", &hour, &rest, &more) != 2 || hour > 23 || rest > 59)
		return false;
	*minute = hour * 60 + rest;
	return true;
}

static void read_offpeak(struct part *part)
{
	const char *start = take(part, "offpeak_start"), *end = take(part, "offpeak_end");
	unsigned from, to;

	if (!*start && !*end)
		return;
	if (!read_time(start, &from) || !read_time(end, &to)) {
		note(part, "offpeak_start", "no time, or none in offpeak_end; the default is kept");
		return;
	}
	if (from == to) /* always, for mercure */
		from = 0, to = 24 * 60;
	(void)snprintf(part->import->offpeak, sizeof(part->import->offpeak), "%02u:%02u-%02u:%02u",
		from / 60 % 100, from % 60, to / 60 % 100, to % 60);
}

static void put_section(struct part *part, const char *name)
{
	if (part->text.length)
		buf_printf(&part->import->out, "%s {\n%s}\n", name, part->text.data);
	if (part->text.failed)
		need(NULL);
	buf_free(&part->text);
}

/* One of mercure's additional tags. Rules that are compiled later may use it. */
static void add_tag(const struct part *part, const char *name, struct buf *list)
{
	char why[NAMES_WHY];

	if (names_known(name))
		return; /* it is read anyway */
	if (names_want(name, why, sizeof(why)) < 0) {
		note(part, "additional_tags", "%s: %s", name, why);
		return;
	}
	buf_puts(list, list->length ? ", " : "");
	conf_quote(list, name);
}

/* An object from keyword to an example; empty, it may be a list. */
static void import_tags(struct part *top)
{
	json_t *receiver = json_object_get(top->object, "dicom_receiver"), *tags, *item;
	struct buf list = { 0 };
	struct part part;
	const char *name;
	size_t i;

	if (!json_is_object(receiver))
		return;
	(void)json_object_del(top->left, "dicom_receiver"); /* it is there */
	part_open(&part, top->import, "dicom_receiver", NULL, receiver);
	tags = json_object_get(receiver, "additional_tags");
	json_object_foreach (tags, name, item)
		add_tag(&part, name, &list);
	json_array_foreach (tags, i, item) {
		if (json_is_string(item))
			add_tag(&part, json_string_value(item), &list);
	}
	(void)json_object_del(part.left, "additional_tags"); /* fails when it is not there */
	if (list.failed)
		need(NULL);
	if (list.length)
		buf_printf(&top->import->out, "extra_tags = { %s }\n\n", list.data);
	buf_free(&list);
	part_close(&part);
}

void import_globals(struct import *import)
{
	struct part part;

	part_open(&part, import, NULL, NULL, import->root);
	(void)json_object_del(part.left, "targets"); /* these are not looked at here */
	(void)json_object_del(part.left, "rules");
	import_tags(&part);

	part.section = CONF_RECEIVER;
	carry(&part, "port", "port", "");
	if (!take_bool(&part, "accept_compressed_images"))
		(void)put(&part, "accept", "uncompressed"); /* it is one of the choices */
	put_section(&part, "receiver");

	part.section = CONF_ROUTER;
	carry_seconds(&part, "series_complete_trigger", "series_timeout");
	put_section(&part, "router");

	part.section = CONF_CLEANER;
	carry_seconds(&part, "retention", "retention");
	read_offpeak(&part);
	if (*import->offpeak)
		(void)put(&part, "offpeak", import->offpeak); /* read_offpeak() made it right */
	put_section(&part, "cleaner");

	import->retry_delay_s = take_number(&part, "retry_delay", 86400);
	import->retry_max = take_number(&part, "retry_max", 1000);
	if (import->retry_max)
		note(&part, "retry_max",
			"it is image_retries of the targets, for images that they refuse; a target "
			"that is down is waited for as long as give_up says (7d)");
	explain_others(&part);
	part_close(&part);
}
