#include "cli/await.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "base/watch.h"
#include "cli/listing.h"
#include "cli/show.h"
#include "spool/job.h"
#include "spool/ledger.h"
#include "spool/walk.h"

enum { MOMENT_US = 200000, BAR = 24, STATE_SIZE = 200 };
static const unsigned int moves = IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE;

/* What one look has found. */
struct tally {
	size_t jobs, at_rest, sent; /* a job is one target's */
	size_t images, answered;    /* of jobs that are not cancelled or discarded */
	char where[STATE_SIZE];     /* of one that is not at rest */
};

static _Noreturn void no_memory(void)
{
	die(EXIT_TEMPORARY, "unable to wait: out of memory; try again");
}

void await_add(struct await *await, const char *job)
{
	char base[JOB_NAME_SIZE];

	(void)snprintf(base, sizeof(base), "%.*s", (int)job_base(job), job);
	if (disk_names_add(&await->jobs, base) < 0)
		no_memory();
}

void await_add_moved(struct await *await, const char *job)
{
	const char *study = job_study(job);
	char end[JOB_NAME_SIZE];

	if (!job_base(job))
		return; /* what was quarantined becomes something else */
	(void)snprintf(end, sizeof(end), ".%.*s", (int)(job + job_base(job) - study), study);
	if (disk_names_add(&await->jobs, end) < 0)
		no_memory();
}

void await_free(struct await *await)
{
	disk_names_free(&await->jobs);
}

/* ---- looking ------------------------------------------------------------------------------- */

static bool is_awaited(
	const struct await *await, const struct item *item, const struct place *place)
{
	size_t length = strlen(item->name);

	for (size_t i = 0; i < await->jobs.count; i++) {
		const char *name = await->jobs.name[i];
		size_t n = strlen(name);

		if (*name != '.' && strcmp(name, item->name) == 0)
			return true;
		if (*name == '.' && length > n && strcmp(item->name + length - n, name) == 0 &&
			(item->time_us >= await->since_us || place->state == PLACE_RESENT))
			return true;
	}
	return false;
}

static void count_stored(void *context, const struct ledger_line *line)
{
	*(size_t *)context += line->stored;
}

static size_t answered(const struct spool *spool, const struct place *place)
{
	int dir = place_open(spool, place);
	size_t count = 0;

	if (dir >= 0) {
		(void)ledger_read(
			dir, place->target, count_stored, &count); /* else none is known */
		(void)close(dir);                                  /* only read */
	}
	return count;
}

/* The events of its ledger. */
static void watch_answers(const struct place *place)
{
	struct buf path = { 0 };

	place_path(place, &path);
	buf_puts(&path, "/");
	if (path.failed)
		no_memory();
	(void)watch_keep(path.data, IN_MODIFY); /* it moves on: that is seen */
	buf_free(&path);
}

static void take_place(const struct spool *spool, const struct walk *walk, struct item *item,
	const struct place *place, struct tally *tally)
{
	size_t images = item_images(spool, item);
	struct buf where = { 0 };

	if (place->state == PLACE_AHEAD)
		return; /* its batch counts */
	tally->jobs++;
	if (place->state > PLACE_SENDING) {
		tally->at_rest++;
		tally->sent += place->state == PLACE_SENT;
		tally->images += images;
		tally->answered += images;
		return;
	}
	tally->images += images;
	if (place->state == PLACE_SENDING) {
		tally->answered += answered(spool, place);
		watch_answers(place);
	}
	(void)listing_place(spool, walk, place, &where);
	(void)snprintf(tally->where, sizeof(tally->where), "%s", where.data ? where.data : "");
	buf_free(&where);
}

/* A queue that has gone is seen in its stage. queue: NULL: the stage itself. */
static void watch_directory(enum spool_dir stage, const char *queue)
{
	struct buf path = { 0 };

	buf_printf(&path, "%s/%s%s", spool_name(stage), queue ? queue : "", queue ? "/" : "");
	if (path.failed)
		no_memory();
	(void)watch_keep(path.data, moves);
	buf_free(&path);
}

static void watch_tree(const struct spool *spool)
{
	struct disk_names queues;

	for (enum spool_dir dir = SPOOL_ROOT; dir < SPOOL_DIRS; dir++) {
		if (spool_stage[dir].holds == STAGE_NOTHING ||
			spool_stage[dir].holds == STAGE_LINES)
			continue;
		watch_directory(dir, NULL);
		if (spool_stage[dir].holds != STAGE_QUEUES ||
			disk_list(spool->dir[dir], ".", &queues) < 0)
			continue;
		for (size_t i = 0; i < queues.count; i++)
			watch_directory(dir, queues.name[i]);
		disk_names_free(&queues);
	}
}

static struct tally look(const struct await *await, const struct spool *spool)
{
	struct tally tally = { 0 };
	struct walk walk;

	watch_begin();
	watch_tree(spool);
	if (walk_spool(spool, &walk) < 0)
		no_memory();
	for (size_t i = 0; i < walk.count; i++)
		for (size_t k = 0; k < walk.item[i].count; k++)
			if (is_awaited(await, &walk.item[i], &walk.item[i].place[k]))
				take_place(spool, &walk, &walk.item[i], &walk.item[i].place[k],
					&tally);
	watch_end();
	walk_free(&walk);
	return tally;
}

/* ---- telling ------------------------------------------------------------------------------- */

/* In one line, again and again. */
static void print_bar(const struct tally *tally)
{
	size_t full = tally->images ? BAR * tally->answered / tally->images : 0;
	unsigned columns = show_columns() ? show_columns() - 1 : 79, used;
	struct buf text = { 0 };

	buf_puts(&text, "[");
	for (size_t i = 0; i < BAR; i++)
		buf_puts(&text, i < full ? "#" : ".");
	buf_printf(&text, "] %zu of %zu images, %zu of %zu jobs at rest", tally->answered,
		tally->images, tally->at_rest, tally->jobs);
	if (*tally->where) {
		buf_puts(&text, "; ");
		show_add(&text, tally->where);
	}
	if (text.failed)
		no_memory();
	(void)printf("\r%.*s\033[K", (int)show_cut(text.data, columns, &used), text.data);
	(void)fflush(stdout); /* the end tells, too */
	buf_free(&text);
}

static bool is_over(const struct tally *tally)
{
	return tally->jobs > 0 && tally->at_rest == tally->jobs;
}

int await_all(struct await *await, const struct spool *spool)
{
	bool terminal = isatty(STDOUT_FILENO);
	struct tally tally;
	struct loop loop;

	loop_open_bare(&loop);
	while (tally = look(await, spool), !is_over(&tally)) {
		if (terminal)
			print_bar(&tally);
		/* A moment without looking, in which events gather; then until there is one. */
		while (!loop_poll(&loop, clock_now_us() + MOMENT_US, NULL, 0))
			;
		(void)watch_wait(&loop, 0, NULL);
	}
	if (terminal) {
		print_bar(&tally);
		(void)putchar('\n');
	}
	(void)printf("sent: %zu of %zu jobs\n", tally.sent, tally.jobs); /* show_close() checks */
	if (tally.sent < tally.jobs)
		log_error("not sent: %zu of %zu jobs; see: dcmspool list", tally.jobs - tally.sent,
			tally.jobs);
	return tally.sent == tally.jobs ? 0 : 1;
}
