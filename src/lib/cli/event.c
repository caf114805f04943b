#include "cli/event.h"

#include <stdbool.h>
#include <string.h>

#include "base/jsonfile.h"
#include "cli/moment.h"
#include "cli/show.h"
#include "spool/held.h"
#include "spool/spool.h"

/* {key}: its value; [...]: left out when a key in it has none, or 0. */
static const struct {
	const char *event, *words;
} events[] = {
	{ "association-opened",
		"connection opened by {calling_aet} for {called_aet}[, from {peer}]" },
	{ "association-refused",
		"connection[ by {calling_aet}][ for {called_aet}] refused[, from {peer}]"
		"[: {reason}]" },
	{ "association-ended", "connection ended[ ({how})][ after {seconds} s]"
			       "[: {received} images, {filed} filed][, {duplicates} duplicates]"
			       "[, {quarantined} in error/]" },
	{ "duplicate", "image {image} came once more, the same; it was dropped" },
	{ "quarantined", "{file} is in error/[: {reason}]" },
	{ "complete", "series complete: {images} images" },
	{ "resent", "[for {target}, by {by}: ]{from} goes again, {images} images" },
	{ "resend-asked", "[{target}: ]{by} wants it to be routed again" },
	{ "submitted", "{target}: {images} images from elsewhere, by {by}" },
	{ "rule-failed", "rule {rule} failed[: {reason}][; ask {contact}]" },
	{ "routed", "routed to {targets}[ by {rules}][, {priorities}]" },
	{ "discarded", "discarded[ by {rules}]" },
	{ "retried", "{target}: back in its queue[, not before {not_before}][: {reason}]" },
	{ "overtaken", "{target}: sent before {earlier}, for which it has waited long enough" },
	{ "cancelled", "{target}: cancelled[ by {by}]" },
	{ "cancel-asked", "{target}: {by} wants it to be cancelled" },
	{ "retry-asked", "{target}: {by} wants it to be tried now" },
	{ "held", "{target}: held by {by}[: {reason}]" },
	{ "released", "{target}: released by {by}" },
	{ "sent", "{target}: sent, {images} images" },
	{ "sent-ahead", "{target}: {images} images were sent before it was decided otherwise" },
	{ "failed", "{target}: failed, {images} images are in error/" },
	{ "deleted", "[{target}: ]deleted from {from} after its retention, {images} images" },
};

const char *event_subject(const json_t *line)
{
	const char *job = jsonfile_text(line, "job");

	return *job ? job : jsonfile_text(line, "association");
}

/* A stamp becomes a time of the wall. */
static void add_value(const char *value, struct buf *out)
{
	int64_t time_us = spool_stamp_time(value);
	char moment[MOMENT_SIZE];

	moment_text(time_us, moment, sizeof(moment));
	show_add(out, *moment && value[strlen(value) - 1] == 'Z' ? moment : value);
}

/* Adds the words up to end. Returns whether each key had a value, and not 0. */
static bool add_words(const json_t *line, const char *words, const char *end, struct buf *out)
{
	const char *value;
	bool all = true;
	char key[32];

	while (words < end) {
		const char *open = memchr(words, '{', (size_t)(end - words)), *close;

		buf_add(out, words, (size_t)((open ? open : end) - words));
		if (!open)
			break;
		close = strchr(open, '}');
		(void)snprintf(key, sizeof(key), "%.*s", (int)(close - open - 1), open + 1);
		value = jsonfile_text(line, key);
		if (strcmp(value, HELD_RECEIVER) == 0)
			value = held_name(value);
		all &= *value && strcmp(value, "0") != 0;
		add_value(value, out);
		words = close + 1;
	}
	return all;
}

static void add_template(const json_t *line, const char *words, struct buf *out)
{
	while (*words) {
		size_t length = strcspn(words, "[");
		const char *close;
		struct buf part = { 0 };

		(void)add_words(line, words, words + length, out); /* without one it has a hole */
		words += length;
		if (!*words)
			break;
		close = strchr(words, ']');
		if (add_words(line, words + 1, close, &part))
			buf_puts(out, part.data ? part.data : "");
		out->failed |= part.failed;
		buf_free(&part);
		words = close + 1;
	}
}

static void add_keys(const json_t *line, struct buf *out)
{
	const char *key;
	json_t *value;

	show_add(out, jsonfile_text(line, "event"));
	json_object_foreach ((json_t *)line, key, value) {
		if (strcmp(key, "event") == 0 || strcmp(key, "time") == 0 || !json_is_string(value))
			continue;
		buf_puts(out, " ");
		show_add(out, key);
		buf_puts(out, "=");
		show_add(out, json_string_value(value));
	}
}

void event_text(const json_t *line, struct buf *out)
{
	const char *event = jsonfile_text(line, "event");

	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (strcmp(events[i].event, event) == 0) {
			add_template(line, events[i].words, out);
			return;
		}
	add_keys(line, out);
}
