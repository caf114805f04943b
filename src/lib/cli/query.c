#include "cli/query.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cli/fits.h"
#include "cli/when.h"
#include "dicom/dicom.h"
#include "dicom/dictionary.h"
#include "spool/ahead.h"

/* A look at a busy tree: what moves on between two looks is looked for again. */
enum { LOOKS = 3 };

static const struct {
	const char *name;
	enum query_key key;
} keys[] = {
	{ "patient", QUERY_PATIENT },
	{ "target", QUERY_TARGET },
	{ "rule", QUERY_RULE },
	{ "sender", QUERY_SENDER },
	{ "state", QUERY_STATE },
	{ "since", QUERY_SINCE },
	{ "until", QUERY_UNTIL },
};
enum { KEYS = sizeof(keys) / sizeof(*keys) };

/* Who sent it, which series.json has beside the image's own tags. */
static const char *const sender_tags[] = { "SenderAET", "SenderAddress", "ReceiverAET",
	"SenderCertificate" };
enum { SENDER_TAGS = sizeof(sender_tags) / sizeof(*sender_tags) };

/* What others call it, or think of. */
static const struct {
	const char *name, *meant;
} others[] = {
	{ "day", "since= and until=, as in since=yesterday until=today" },
	{ "date", "since= and until=, as in since=2026-11-28 until=2026-11-29" },
	{ "time", "since= and until=" },
	{ "on", "since= and until=, as in since=yesterday until=today" },
	{ "after", "since=" },
	{ "from", "since=, or sender=" },
	{ "before", "until=" },
	{ "to", "until=, or target=" },
	{ "aet", "sender=" },
	{ "status", "state=" },
	{ "event", "state=" },
	{ "name", "patient=" },
	{ "id", "patient=, or the PatientID alone" },
	{ "uid", "the UID alone" },
	{ "job", "the name of the job alone" },
	{ "study", "the UID of the study alone, or StudyDescription=" },
	{ "series", "the UID of the series alone, or SeriesDescription=" },
	{ "accession", "the number alone, or AccessionNumber=" },
};

static int unknown_key(const char *name)
{
	struct nearest nearest = { .word = name };
	const struct dicom_entry *entry;
	char hint[NEAREST_HINT];

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcasecmp(others[i].name, name) == 0) {
			log_error("a query knows no %s=; say %s", name, others[i].meant);
			return -1;
		}
	for (size_t i = 0; i < KEYS; i++)
		nearest_try(&nearest, keys[i].name);
	for (size_t i = 0; i < SENDER_TAGS; i++)
		nearest_try(&nearest, sender_tags[i]);
	for (size_t i = 0; i < dicom_tag_count; i++)
		nearest_try(&nearest, dicom_tags[i].keyword);
	for (size_t i = 0; (entry = dicom_dictionary_entry(i)); i++)
		nearest_try(&nearest, entry->keyword);
	log_error("a query knows no %s=%s", name, nearest_hint(&nearest, hint, sizeof(hint)));
	return -1;
}

/* The tag's name as series.json has it; NULL: there is none of this name. */
static const char *tag_name(const struct conf *conf, const char *name)
{
	const struct dicom_entry *entry = dicom_dictionary_keyword(name);

	if (entry)
		return entry->keyword;
	for (size_t i = 0; i < SENDER_TAGS; i++)
		if (strcasecmp(sender_tags[i], name) == 0)
			return sender_tags[i];
	for (size_t i = 0; i < conf->extra_tags.count; i++)
		if (conf->extra_tags.item[i] && strcasecmp(conf->extra_tags.item[i], name) == 0)
			return conf->extra_tags.item[i];
	return NULL;
}

static int read_time(struct query_word *word)
{
	time_t time_s;

	if (when_read(word->text, time(NULL), &time_s) < 0) {
		log_error("%s is no time; write " WHEN_FORMS, word->text);
		return -1;
	}
	word->time_us = (int64_t)time_s * 1000000;
	return 0;
}

static int read_key(
	struct query_word *word, const struct conf *conf, const char *text, size_t length)
{
	char name[256];

	(void)snprintf(name, sizeof(name), "%.*s", (int)length, text); /* none is longer */
	word->text = text + length + 1;
	for (size_t i = 0; i < KEYS; i++)
		if (strcasecmp(keys[i].name, name) == 0) {
			word->key = keys[i].key;
			return word->key == QUERY_SINCE || word->key == QUERY_UNTIL
				       ? read_time(word)
				       : 0;
		}
	word->key = QUERY_TAG;
	word->tag = tag_name(conf, name);
	return word->tag ? 0 : unknown_key(name);
}

static int read_word(struct query_word *word, const struct conf *conf, const char *text)
{
	const char *equals = strchr(text, '=');
	struct stat st;

	*word = (struct query_word){ .text = text };
	if (equals)
		return read_key(word, conf, text, (size_t)(equals - text));
	if (!*text) {
		log_error("an empty word fits nothing; leave it out");
		return -1;
	}
	if (!strchr(text, '/'))
		(void)snprintf(word->job.name, sizeof(word->job.name), "%s", text);
	else if (lstat(text, &st) == 0) /* else it may be the number of a patient */
		return queues_operand(conf->spool, text, &word->job);
	return 0;
}

void query_free(struct query *query)
{
	free(query->word);
	*query = (struct query){ 0 };
}

int query_read(struct query *query, const struct conf *conf, char *const words[], size_t count)
{
	/* Names in any script are compared without case; not by the user's own locale, in which
	 * there may be one I more. */
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* without it ASCII only */
	*query = (struct query){ .word = calloc(count + 1, sizeof(*query->word)) };
	if (!query->word)
		die(EXIT_TEMPORARY, "unable to read the query: out of memory; try again");
	for (; query->count < count; query->count++)
		if (read_word(&query->word[query->count], conf, words[query->count]) < 0) {
			query_free(query);
			return -1;
		}
	return 0;
}

static void keep_names(const struct query *query, struct walk *walk)
{
	size_t kept = 0;

	for (size_t i = 0; i < walk->count; i++) {
		if (fits_names(query, walk, &walk->item[i]))
			walk->item[kept++] = walk->item[i];
		else
			item_free(&walk->item[i]);
	}
	walk->count = kept;
}

/* Returns how many have moved on since the walk, of which nobody knows whether they fit. */
static size_t keep_files(const struct query *query, const struct spool *spool, struct walk *walk)
{
	size_t kept = 0, gone = 0;

	for (size_t i = 0; i < walk->count; i++) {
		struct item *item = &walk->item[i];
		/* Whoever looks for it will show it, too. */
		bool fits =
			fits_files(query, spool, item) && (item_series(spool, item) || !item->gone);

		walk->incomplete |= item->unread;
		gone += item->gone;
		if (fits)
			walk->item[kept++] = *item;
		else
			item_free(item);
	}
	walk->count = kept;
	return gone;
}

static size_t choose(const struct query *query, const struct spool *spool, struct walk *walk)
{
	keep_names(query, walk);
	ahead_read(spool, walk->item, walk->count);
	return keep_files(query, spool, walk);
}

void query_find(const struct query *query, const struct spool *spool, struct walk *walk)
{
	for (int looks = 1;; looks++) {
		if (walk_spool(spool, walk) < 0)
			die(EXIT_TEMPORARY,
				"unable to look at the spool %s: out of memory; try again",
				spool->path);
		if (choose(query, spool, walk) == 0 || looks == LOOKS)
			return;
		walk_free(walk);
	}
}
