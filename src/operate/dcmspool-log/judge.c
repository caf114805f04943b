#include "judge.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonfile.h"
#include "base/log.h"
#include "cli/fits.h"
#include "spool/ahead.h"
#include "spool/job.h"
#include "spool/journal_read.h"
#include "spool/series.h"

enum { NAME_SIZE = 256 };

static bool is_of_series(const struct query_word *word)
{
	switch (word->key) {
	case QUERY_WORD:
	case QUERY_TAG:
	case QUERY_PATIENT:
	case QUERY_RULE:
	case QUERY_SENDER:
		return true;
	default:
		return false;
	}
}

/* The words, as bits, that are of series or not. */
static uint32_t bits(const struct query *query, bool of_series)
{
	uint32_t all = 0;

	for (size_t i = 0; i < query->count; i++)
		if (is_of_series(&query->word[i]) == of_series)
			all |= UINT32_C(1) << i;
	return all;
}

static uint32_t known(const struct judge *judge, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(judge->known, name));
}

static void learn(struct judge *judge, const char *name, uint32_t fits)
{
	if (!*name || !bits(judge->query, true))
		return;
	fits |= known(judge, name);
	if (json_object_set_new(judge->known, name, json_integer(fits)) < 0)
		die(EXIT_TEMPORARY, "unable to read the journal: out of memory; try again");
}

/* The name of a job without priority and number, by which it is known. */
static void base_of(const char *job, char out[NAME_SIZE])
{
	size_t base = job_base(job);

	(void)snprintf(out, NAME_SIZE, "%.*s", base ? (int)base : NAME_SIZE - 1, job);
}

/* ---- the tree ------------------------------------------------------------------------------ */

static uint32_t words_of_item(const struct judge *judge, const struct walk *walk, struct item *item)
{
	uint32_t fits = 0;

	for (size_t i = 0; i < judge->query->count; i++) {
		const struct query one = { .word = &judge->query->word[i], .count = 1 };

		for (size_t k = 0; k < item->count; k++)
			item->place[k].meant = true; /* each word by itself */
		if (is_of_series(one.word) && fits_names(&one, walk, item) &&
			fits_files(&one, judge->spool, item))
			fits |= UINT32_C(1) << i;
	}
	return fits;
}

/* name: of the job that is asked for; NULL: at all of it. */
static void look_at_tree(struct judge *judge, const char *name)
{
	const uint32_t all = bits(judge->query, true);
	struct walk walk;

	if (walk_spool(judge->spool, &walk) < 0)
		die(EXIT_TEMPORARY, "unable to look at the spool %s: out of memory; try again",
			judge->spool->path);
	if (!name)
		ahead_read(judge->spool, walk.item, walk.count);
	for (size_t i = 0; i < walk.count; i++) {
		struct item *item = &walk.item[i];
		const json_t *series;
		uint32_t fits;

		if (name && strcmp(item->name, name) != 0)
			continue;
		fits = words_of_item(judge, &walk, item);
		series = item_series(judge->spool, item);
		learn(judge, item->name, fits);
		/* A connection brings several series: it counts for one that fits in all. */
		if (fits == all) {
			learn(judge, jsonfile_text(series_sender(series), "association"), fits);
			learn(judge, series_tag(series, "SeriesInstanceUID"), fits);
		}
	}
	walk_free(&walk);
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Does one of the names with commas between them fit? */
static bool list_fits(const struct query_word *word, const char *list)
{
	while (*list) {
		size_t length = strcspn(list, ",");
		char name[NAME_SIZE];

		(void)snprintf(name, sizeof(name), "%.*s", (int)length, list);
		if (fits_glob(word, name))
			return true;
		list += length + (list[length] == ',');
	}
	return false;
}

static bool word_is_in(const struct query_word *word, const json_t *line)
{
	static const char *const keys[] = { "series", "study", "accession", "image", "association",
		"from", "to" };
	const char *job = jsonfile_text(line, "job");

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(jsonfile_text(line, keys[i]), word->text) == 0)
			return true;
	return *job && fits_job(word, job, jsonfile_text(line, "target"));
}

static bool word_fits(const struct query_word *word, const json_t *line)
{
	int64_t time_us = journal_time_us(line);

	switch (word->key) {
	case QUERY_WORD:
		return word_is_in(word, line);
	case QUERY_TARGET:
		return list_fits(word, jsonfile_text(line, "target")) ||
		       list_fits(word, jsonfile_text(line, "targets"));
	case QUERY_STATE:
		return fits_glob(word, jsonfile_text(line, "event"));
	case QUERY_RULE:
		return list_fits(word, jsonfile_text(line, "rule")) ||
		       list_fits(word, jsonfile_text(line, "rules"));
	case QUERY_SENDER:
		return list_fits(word, jsonfile_text(line, "calling_aet")) ||
		       list_fits(word, jsonfile_text(line, "peer"));
	case QUERY_SINCE:
		return time_us >= word->time_us;
	case QUERY_UNTIL:
		return time_us < word->time_us;
	default:
		return false;
	}
}

static uint32_t words_of_line(const struct query *query, const json_t *line)
{
	uint32_t fits = 0;

	for (size_t i = 0; i < query->count; i++)
		if (word_fits(&query->word[i], line))
			fits |= UINT32_C(1) << i;
	return fits;
}

bool judge_line(struct judge *judge, const json_t *line, bool follow)
{
	const uint32_t of_series = bits(judge->query, true);
	const char *job = jsonfile_text(line, "job"),
		   *association = jsonfile_text(line, "association");
	uint32_t fits = words_of_line(judge->query, line);
	char base[NAME_SIZE];

	base_of(job, base);
	if (*base && follow && of_series && !json_object_get(judge->known, base))
		look_at_tree(judge, base);
	/* A line of a job speaks for the later ones; that of an association says who sends. */
	if (*base)
		learn(judge, base, fits & of_series);
	else if (*association)
		learn(judge, association, fits & of_series);
	fits |= known(judge, base) | known(judge, association) |
		known(judge, jsonfile_text(line, "series"));
	return fits == (bits(judge->query, true) | bits(judge->query, false));
}

void judge_open(struct judge *judge, const struct query *query, const struct spool *spool)
{
	if (query->count >= JUDGE_WORDS)
		die(EXIT_PERMANENT, "a query has less than %d words", JUDGE_WORDS);
	*judge = (struct judge){ .query = query, .spool = spool, .known = json_object() };
	if (!judge->known)
		die(EXIT_TEMPORARY, "unable to read the journal: out of memory; try again");
	if (bits(query, true))
		look_at_tree(judge, NULL);
}

void judge_close(struct judge *judge)
{
	json_decref(judge->known);
}
