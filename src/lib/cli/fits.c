#define _GNU_SOURCE /* FNM_CASEFOLD */
#include "cli/fits.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wchar.h>
#include <wctype.h>

#include "base/str.h"
#include "spool/job.h"
#include "spool/plan.h"
#include "spool/series.h"

bool fits_glob(const struct query_word *word, const char *text)
{
	return fnmatch(word->text, text, FNM_CASEFOLD) == 0;
}

/* The next character of text, as a lower-case one; 0 at the end. */
static wint_t next_folded(const char **text, mbstate_t *state)
{
	wchar_t code;
	size_t bytes = mbrtowc(&code, *text, MB_CUR_MAX, state);

	if (bytes == 0)
		return 0;
	if (bytes > MB_CUR_MAX) { /* no UTF-8 */
		*state = (mbstate_t){ 0 };
		code = (unsigned char)**text;
		bytes = 1;
	}
	*text += bytes;
	return towlower((wint_t)code);
}

static bool begins(const char *text, const char *with)
{
	mbstate_t states[2] = { 0 };
	wint_t wanted;

	while ((wanted = next_folded(&with, &states[1])))
		if (next_folded(&text, &states[0]) != wanted)
			return false;
	return true;
}

/* PS3.5 6.2.1: components end at '^', groups of them at '='; people put blanks and commas there. */
static bool name_begins(const char *name, const char *with)
{
	static const char ends[] = "^= ,";

	for (;;) {
		name += strspn(name, ends);
		if (!*name)
			return false;
		if (begins(name, with))
			return true;
		name += strcspn(name, ends);
	}
}

static bool fits_patient(const json_t *series, const char *text)
{
	return *text && (strcmp(series_tag(series, "PatientID"), text) == 0 ||
				name_begins(series_tag(series, "PatientName"), text));
}

static bool fits_rule(const json_t *plan, const struct query_word *word)
{
	json_t *rule;
	size_t i;

	json_array_foreach (plan_rules(plan), i, rule)
		if (json_is_string(rule) && fits_glob(word, json_string_value(rule)))
			return true;
	return false;
}

/* Is the word the name without priority and number ("<job>"), the whole one, or one of these with
 * the target behind it? */
bool fits_job(const struct query_word *word, const char *name, const char *target)
{
	const char *meant = word->job.name, *of = word->job.target;
	size_t ended = job_ended(name), length = ended ? ended : strlen(name),
	       base = job_base(name);

	if (!*meant || (*of && strcmp(of, target) != 0))
		return false;
	if (strcmp(meant, name) == 0)
		return true;
	for (int i = 0; i < 2; i++, length = base)
		if (length && strncmp(meant, name, length) == 0 &&
			(!meant[length] || (meant[length] == '.' && *target &&
						   strcmp(meant + length + 1, target) == 0)))
			return true;
	return false;
}

static bool is_uid(const char *text)
{
	return strchr(text, '.') && strspn(text, "0123456789.") == strlen(text) && uid_ok(text);
}

/* Is the word the UID of an image that lies there? */
static bool has_image(const struct spool *spool, const struct place *place, const char *uid)
{
	struct buf path = { 0 };
	struct stat st;
	bool found;

	place_path(place, &path);
	buf_printf(&path, "/%s.dcm", uid);
	found = !path.failed &&
		fstatat(spool->dir[SPOOL_ROOT], path.data, &st, AT_SYMLINK_NOFOLLOW) == 0;
	buf_free(&path);
	return found;
}

/* A bare word that is not the job's name. */
static bool fits_word(const struct query_word *word, const struct spool *spool, struct item *item)
{
	static const char *const tags[] = { "PatientID", "AccessionNumber", "StudyInstanceUID",
		"SeriesInstanceUID", "SOPInstanceUID" };
	const json_t *series = item_series(spool, item);

	if (strcmp(item->name, word->text) == 0)
		return true;
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		if (strcmp(series_tag(series, tags[i]), word->text) == 0)
			return true;
	for (size_t i = 0; i < item->count && is_uid(word->text); i++)
		if (has_image(spool, &item->place[i], word->text))
			return true;
	return false;
}

static bool fits_state(
	const struct query_word *word, const struct walk *walk, const struct place *place)
{
	const struct walk_queue *queue = walk_queue(walk, place->target);

	if (fits_glob(word, place_state_name(place->state)))
		return true;
	return place->state == PLACE_WAITING &&
	       ((queue->held && fits_glob(word, "held")) ||
		       (queue->paused && fits_glob(word, "paused")));
}

/* What is told by names alone, place by place. A word that is the job's name says which places. */
static bool fits_places(const struct query_word *word, const struct walk *walk, struct item *item)
{
	bool any = false;

	for (size_t i = 0; i < item->count; i++) {
		struct place *place = &item->place[i];
		const char *target = place->target ? place->target : "";
		bool fits = true;

		if (word->key == QUERY_TARGET)
			fits = *target && fits_glob(word, target);
		else if (word->key == QUERY_STATE)
			fits = fits_state(word, walk, place);
		else
			fits = fits_job(word, place->name, target);
		place->meant &= fits;
		any |= place->meant;
	}
	return any;
}

static bool fits_time(const struct query_word *word, const struct item *item)
{
	if (item->time_us < 0)
		return false;
	return word->key == QUERY_SINCE ? item->time_us >= word->time_us
					: item->time_us < word->time_us;
}

static bool names_job(const struct query_word *word, const struct item *item)
{
	for (size_t i = 0; i < item->count; i++)
		if (fits_job(word, item->place[i].name,
			    item->place[i].target ? item->place[i].target : ""))
			return true;
	return false;
}

static bool is_unfinished(struct item *item)
{
	bool any = false;

	for (size_t i = 0; i < item->count; i++) {
		item->place[i].meant &= !place_state_is_over(item->place[i].state);
		any |= item->place[i].meant;
	}
	return any;
}

bool fits_names(const struct query *query, const struct walk *walk, struct item *item)
{
	if (query->unfinished && !is_unfinished(item))
		return false;
	for (size_t i = 0; i < query->count; i++) {
		const struct query_word *word = &query->word[i];
		bool fits = true;

		switch (word->key) {
		case QUERY_SINCE:
		case QUERY_UNTIL:
			fits = fits_time(word, item);
			break;
		case QUERY_TARGET:
		case QUERY_STATE:
			fits = fits_places(word, walk, item);
			break;
		case QUERY_WORD:
			/* One that has the form of a job is nothing else, so nothing is opened. */
			if (job_base(word->job.name) || names_job(word, item))
				fits = fits_places(word, walk, item);
			break;
		default:
			break;
		}
		if (!fits)
			return false;
	}
	return true;
}

bool fits_files(const struct query *query, const struct spool *spool, struct item *item)
{
	for (size_t i = 0; i < query->count; i++) {
		const struct query_word *word = &query->word[i];
		bool fits = true;

		switch (word->key) {
		case QUERY_TAG:
			fits = fits_glob(word, series_tag(item_series(spool, item), word->tag));
			break;
		case QUERY_PATIENT:
			fits = fits_patient(item_series(spool, item), word->text);
			break;
		case QUERY_SENDER:
			fits = fits_glob(word, series_tag(item_series(spool, item), "SenderAET")) ||
			       fits_glob(
				       word, series_tag(item_series(spool, item), "SenderAddress"));
			break;
		case QUERY_RULE:
			fits = fits_rule(item_plan(spool, item), word);
			break;
		case QUERY_WORD:
			fits = names_job(word, item) || fits_word(word, spool, item);
			break;
		default:
			break;
		}
		if (!fits)
			return false;
	}
	return true;
}
