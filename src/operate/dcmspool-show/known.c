#include "known.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonfile.h"
#include "base/log.h"
#include "cli/waits.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal_read.h"
#include "spool/ledger.h"
#include "spool/series.h"

enum { REASON_MAX = 1 << 20 };
/* A connection is opened before its first image arrives; it may be open for long. */
static const int64_t before_us = 3600 * (int64_t)1000000;

static _Noreturn void no_memory(void)
{
	die(EXIT_TEMPORARY, "unable to tell what is known: out of memory; try again");
}

/* ---- the journal --------------------------------------------------------------------------- */

/* Is the line about the series: its job, or the connection that brought it? */
static bool is_about(const json_t *line, const struct item *item, const json_t *series)
{
	const char *job = jsonfile_text(line, "job"),
		   *association = jsonfile_text(line, "association");
	const char *brought = jsonfile_text(series_sender(series), "association");
	size_t length = strlen(item->name);

	if (*job)
		return strncmp(job, item->name, length) == 0 &&
		       (!job[length] || strchr(".~", job[length]));
	if (*association)
		return strcmp(association, brought) == 0 || strcmp(association, item->name) == 0;
	return strcmp(jsonfile_text(line, "to"), item->name) == 0;
}

/* All of it once, from before the oldest on. */
static void read_journal(const struct spool *spool, struct known *known, size_t count)
{
	int64_t from_us = known->item->time_us - before_us;
	struct journal_reader reader;
	json_t *line;
	int more;

	journal_reader_open(&reader, spool, from_us > 0 ? from_us : 0, 0);
	while ((more = journal_reader_next(&reader, &line)) > 0) {
		for (size_t i = 0; i < count; i++)
			if (is_about(line, known[i].item, item_series(spool, known[i].item)) &&
				json_array_append(known[i].journal, line) < 0)
				no_memory();
		json_decref(line);
	}
	if (more < 0)
		log_warning(
			"unable to read the journal: %s; its times are missing", strerror(errno));
	journal_reader_close(&reader);
}

/* ---- a place ------------------------------------------------------------------------------- */

static void take_answer(void *context, const struct ledger_line *line)
{
	json_t *answers = context;
	const char *result = line->stored  ? "stored"
			     : line->never ? "given up"
			     : line->doubt ? "no answer"
					   : "failed";

	if (json_array_append_new(answers,
		    json_pack("{s:o, s:o, s:s, s:o, s:o, s:I, s:o}", "time",
			    jsonfile_string(line->time), "target", jsonfile_string(line->target),
			    "result", result, "status", jsonfile_string(line->status), "image",
			    jsonfile_string(line->image), "try", (json_int_t)line->tries, "text",
			    jsonfile_string(line->text))) < 0)
		no_memory();
}

static void is_missing(struct walk *walk, const struct place *place)
{
	log_warning("unable to read %s/%s: %s; what lies there is missing here",
		spool_name(place->stage), place->name, strerror(errno));
	walk->incomplete = true;
}

static void gather_place(const struct conf *conf, const struct spool *spool, struct walk *walk,
	struct item *item, struct known_place *out)
{
	struct disk_names images;
	int dir;

	out->answers = json_array();
	if (!out->answers || waits_for(conf, spool, walk, item, out->place, &out->waits) < 0)
		no_memory();
	dir = place_open(spool, out->place);
	if (dir < 0) {
		/* a file that was dropped; or it has moved on */
		if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			is_missing(walk, out->place);
		return;
	}
	if (ledger_read(dir, out->place->target, take_answer, out->answers) < 0)
		log_warning("unable to read the answers in %s/%s: %s; they are missing",
			spool_name(out->place->stage), out->place->name, strerror(errno));
	out->reason = disk_read_file(dir, file_name(FILE_REASON), REASON_MAX, NULL);
	if (job_images(dir, &images) == 0) {
		out->images = images.count;
		disk_names_free(&images);
	} else {
		is_missing(walk, out->place);
	}
	(void)close(dir); /* only read */
}

static void gather(const struct conf *conf, const struct spool *spool, struct walk *walk,
	struct item *item, struct known *out)
{
	*out = (struct known){
		.item = item,
		.place = calloc(item->count, sizeof(*out->place)),
		.journal = json_array(),
	};
	if (!out->place || !out->journal)
		no_memory();
	for (size_t i = 0; i < item->count; i++) {
		out->place[i].place = &item->place[i];
		gather_place(conf, spool, walk, item, &out->place[i]);
	}
}

struct known *known_gather(
	const struct conf *conf, const struct spool *spool, struct walk *walk, struct walk *found)
{
	struct known *known = calloc(found->count, sizeof(*known));

	if (!known)
		no_memory();
	for (size_t i = 0; i < found->count; i++)
		gather(conf, spool, walk, &found->item[i], &known[i]);
	read_journal(spool, known, found->count);
	return known;
}

void known_free(struct known *known, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < known[i].item->count; k++) {
			disk_names_free(&known[i].place[k].waits);
			json_decref(known[i].place[k].answers);
			free(known[i].place[k].reason);
		}
		free(known[i].place);
		json_decref(known[i].journal);
	}
	free(known);
}
