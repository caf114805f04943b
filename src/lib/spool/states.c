#include "spool/states.h"

#include "base/disk.h"
#include "base/str.h"
#include "spool/assoc.h"
#include "spool/file.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "spool/plan.h"
#include "spool/series.h"
#include "spool/stage.h"

#include <errno.h>
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

const struct state spool_state[] = STATE_ROWS;

const struct state *state_of_place(enum state_place place)
{
	const struct state *row = spool_state;

	while (row->place != place)
		row++;
	return row;
}

static bool is_job(const char *name)
{
	return job_base(name) > 0 && job_ended(name) == 0 && job_ahead(name) == 0 && name_ok(name);
}

static bool is_ahead(const char *name)
{
	return job_ahead(name) > 0 && name_ok(name);
}

static bool is_ended(const char *name)
{
	return job_ended(name) > 0 && name_ok(name);
}

/* The names that are said by their kind. */
static const struct {
	const char *kind;
	bool (*fits)(const char *name);
} kinds[] = {
	{ "<image>", file_is_image },
	{ "<job>", is_job },
	{ "<ahead>", is_ahead },
	{ "<ended>", is_ended },
	{ "<name>", name_ok },
	{ "<day>", journal_is_file },
};

bool state_fits(const struct state *state, const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(state->name, kinds[i].kind) == 0)
			return kinds[i].fits(name);
	return fnmatch(state->name, name, 0) == 0;
}

const struct state *state_find(enum state_place place, const char *name)
{
	for (const struct state *row = state_of_place(place) + 1; row->place == place; row++)
		if (state_fits(row, name))
			return row;
	return NULL;
}

enum state_place state_stage(const char *name)
{
	static const char *const names[STATE_PLACES] = STATE_NAMES;

	for (int i = SPOOL_ROOT + 1; i < SPOOL_DIRS; i++)
		for (int place = 0; place < STATE_PLACES; place++)
			if (strcmp(name, spool_stage[i].name) == 0 &&
				strcmp(name, names[place]) == 0)
				return (enum state_place)place;
	return STATE_PLACES;
}

/* getdcmtags writes series.json before anything else into a batch: with more of its own, but not
 * that, it is a batch that has lost it. */
static int batch_or_drop(int dir)
{
	struct disk_names names;
	int place = STATE_DROP;

	if (disk_list(dir, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (strcmp(names.name[i], file_name(FILE_FILED)) == 0 ||
			assoc_is_marker(names.name[i]))
			place = STATE_BATCH;
	disk_names_free(&names);
	return place;
}

static int look_at_batch(int dir)
{
	int job = job_exists(dir), series = series_exists(dir);

	if (job < 0 || series < 0)
		return -1;
	return job ? STATE_RESEND : series ? STATE_BATCH : batch_or_drop(dir);
}

/* With a plan that is damaged, the router decides again. */
static int look_at_claimed(int dir)
{
	int copies = file_exists(dir, FILE_FANOUT);
	json_t *plan = plan_load(dir);

	if (copies < 0 || (!plan && errno != ENOENT && errno != EINVAL))
		return -1;
	json_decref(plan);
	return plan || copies ? STATE_PLANNED : STATE_CLAIMED;
}

int state_look(enum state_place by_name, int dir)
{
	int job;

	switch (by_name) {
	case STATE_BATCH:
		return look_at_batch(dir);
	case STATE_CLAIMED:
		return look_at_claimed(dir);
	case STATE_QUARANTINE:
		job = job_exists(dir);
		return job < 0 ? -1 : job ? STATE_GIVEN_UP : STATE_QUARANTINE;
	default:
		return (int)by_name;
	}
}
