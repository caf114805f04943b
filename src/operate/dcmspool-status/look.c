/* The stages, from the first connection to what lies at rest. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "cli/moment.h"
#include "cli/options.h"
#include "spool/assoc.h"
#include "spool/file.h"
#include "spool/held.h"
#include "spool/job.h"
#include "spool/series.h"
#include "status.h"

_Noreturn void no_memory(void)
{
	die(EXIT_TEMPORARY, "unable to tell the status: out of memory; try again");
}

static void *checked(void *memory)
{
	if (!memory)
		no_memory();
	return memory;
}

/* What has gone since its name was read is no failure. */
static void list(
	struct status *status, int dir, const char *name, const char *in, struct disk_names *out)
{
	if (disk_list(dir, name, out) == 0)
		return;
	*out = (struct disk_names){ 0 };
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return;
	log_warning("unable to list %s/%s: %s; what lies there is missing here", in, name,
		strerror(errno));
	status->incomplete = true;
}

/* name: what it is about, in the place of %s. */
#define UNSEEN(status, name, format)                                                               \
	do {                                                                                       \
		log_warning(format ": %s", name, strerror(errno));                                 \
		(status)->incomplete = true;                                                       \
	} while (0)

/* What stands in the file that holds a target, with a time of the wall; NULL: it is not held. */
static char *held_words(struct status *status, const char *target)
{
	static const char since[] = " (since ";
	int dir = held_open(status->spool, target);
	struct buf text = { 0 }, words = { 0 };
	char moment[MOMENT_SIZE] = "";
	const char *rest;
	int held = dir < 0 ? -1 : held_exists(dir);

	if (held < 0 && errno != ENOENT && errno != ENOTDIR) /* it may have no queue yet */
		UNSEEN(status, held_name(target), "unable to see whether %s is held");
	if (held > 0) {
		buf_puts(&text, "");
		held_tell(dir, &text);
		rest = text.data ? text.data : "";
		if (strncmp(rest, since, sizeof(since) - 1) == 0) {
			rest += sizeof(since) - 1;
			moment_text(spool_stamp_time(rest), moment, sizeof(moment));
			rest += *moment ? strcspn(rest, " )") : 0;
		}
		buf_printf(&words, "%s%s%s", rest == text.data ? "" : since, moment, rest);
		(void)checked(words.failed ? NULL : words.data);
	}
	buf_free(&text);
	if (dir >= 0)
		(void)close(dir); /* only read */
	return words.data;
}

/* ---- receiving/, incoming/, routing/ ------------------------------------------------------- */

/* Images that are in no series yet, for one who does not count them: format 1, or dropped. */
static unsigned long count_files(int dir)
{
	struct disk_names files;
	unsigned long count = 0;

	if (disk_list(dir, ".", &files) < 0)
		return 0;
	for (size_t i = 0; i < files.count; i++)
		count += !file_is_ours(FILE_IN_ASSOCIATION, files.name[i]);
	disk_names_free(&files);
	return count;
}

static void add_connection(struct status *status, const struct locks *locks, const char *name)
{
	int dir = disk_open_dir(status->spool->dir[SPOOL_RECEIVING], name);
	struct connection *one;
	struct assoc_counts counts;
	struct stat st;

	if (dir < 0) {
		if (errno == EACCES)
			UNSEEN(status, name, "unable to see who sends %s");
		return; /* it has ended; or it is no association */
	}
	status->connection =
		checked(realloc(status->connection, (status->connections + 1) * sizeof(*one)));
	one = &status->connection[status->connections++];
	*one = (struct connection){ .name = checked(strdup(name)),
		.assoc = assoc_load(dir),
		.since_us = spool_stamp_time(name) };
	if (!one->assoc && errno == EACCES)
		UNSEEN(status, name, "unable to see who sends %s");
	one->dropped = assoc_is_dropped(one->assoc);
	one->alive = fstat(dir, &st) == 0 && locks_has(locks, &st, 0);
	free(assoc_reading_load(dir, &counts));
	one->images = counts.received + count_files(dir);
	(void)close(dir); /* only read */
}

static void look_at_batch(struct status *status, const char *name)
{
	int dir = disk_open_dir(status->spool->dir[SPOOL_INCOMING], name);
	struct disk_names images;

	if (dir < 0 || (series_exists(dir) != 1 && job_exists(dir) != 1)) {
		status->dropped += dir >= 0 || errno != ENOENT;
	} else if (job_exists(dir) == 1) {
		status->resent++;
	} else {
		status->batches++;
		if (job_images(dir, &images) == 0) {
			status->batch_images += images.count;
			disk_names_free(&images);
		}
	}
	if (dir >= 0)
		(void)close(dir); /* only read */
}

void look_at_receiving(struct status *status, const struct locks *locks)
{
	const int *dir = status->spool->dir;
	struct disk_names names;

	list(status, dir[SPOOL_RECEIVING], ".", spool_name(SPOOL_RECEIVING), &names);
	for (size_t i = 0; i < names.count; i++)
		if (names.name[i][0] != '.' && strcmp(names.name[i], HELD_FILE) != 0)
			add_connection(status, locks, names.name[i]);
	disk_names_free(&names);
	status->receiver_held = held_words(status, HELD_RECEIVER);
	list(status, dir[SPOOL_INCOMING], ".", spool_name(SPOOL_INCOMING), &names);
	for (size_t i = 0; i < names.count; i++)
		if (names.name[i][0] != '.')
			look_at_batch(status, names.name[i]);
	disk_names_free(&names);
	list(status, dir[SPOOL_ROUTING], ".", spool_name(SPOOL_ROUTING), &names);
	status->routing = names.count;
	disk_names_free(&names);
}

/* ---- queues -------------------------------------------------------------------------------- */

static struct queue *find_queue(struct status *status, const char *name)
{
	for (size_t i = 0; i < status->queues; i++)
		if (strcmp(status->queue[i].name, name) == 0)
			return &status->queue[i];
	return NULL;
}

static void add_queue(struct status *status, const char *name)
{
	struct queue *more = checked(realloc(status->queue, (status->queues + 1) * sizeof(*more)));

	status->queue = more;
	more[status->queues++] = (struct queue){ .name = checked(strdup(name)),
		.target = conf_target(status->conf, name),
		.oldest_us = -1 };
}

/* Queues of targets that are configured no longer. */
static void add_others(struct status *status, enum spool_dir stage)
{
	struct disk_names names;

	list(status, status->spool->dir[stage], ".", spool_name(stage), &names);
	for (size_t i = 0; i < names.count; i++)
		if (name_ok(names.name[i]) && !file_is_ours(FILE_IN_QUEUE, names.name[i]) &&
			!find_queue(status, names.name[i]))
			add_queue(status, names.name[i]);
	disk_names_free(&names);
}

/* How many jobs lie there; oldest_us may be NULL. Their names are in the order of their times. */
static size_t count_jobs(
	struct status *status, enum spool_dir stage, const char *target, int64_t *oldest_us)
{
	struct disk_names names;
	size_t count = 0;

	list(status, status->spool->dir[stage], target, spool_name(stage), &names);
	for (size_t i = 0; i < names.count; i++) {
		if (names.name[i][0] == '.' || file_is_ours(FILE_IN_QUEUE, names.name[i]))
			continue;
		if (stage == SPOOL_OUTGOING && job_ahead(names.name[i]))
			continue; /* its series is still being received */
		if (oldest_us && *oldest_us < 0)
			*oldest_us = spool_stamp_time(names.name[i]);
		count++;
	}
	disk_names_free(&names);
	return count;
}

static void look_at_queue(struct status *status, struct queue *queue)
{
	int dir = disk_open_dir(status->spool->dir[SPOOL_OUTGOING], queue->name);
	int paused = dir < 0 ? 0 : pause_load(dir, &queue->pause);

	queue->paused = paused > 0 || (paused < 0 && errno == EINVAL);
	if (paused < 0 && !queue->paused)
		UNSEEN(status, queue->name, "unable to see whether %s is paused");
	if (dir >= 0)
		(void)close(dir); /* only read */
	queue->held = held_words(status, queue->name);
	queue->waiting = count_jobs(status, SPOOL_OUTGOING, queue->name, &queue->oldest_us);
	queue->sending = count_jobs(status, SPOOL_SENDING, queue->name, NULL);
}

static void count_ended(struct status *status)
{
	struct disk_names names;

	status->success = count_jobs(status, SPOOL_SUCCESS, ".", NULL);
	status->discard = count_jobs(status, SPOOL_DISCARD, ".", NULL);
	list(status, status->spool->dir[SPOOL_ERROR], ".", spool_name(SPOOL_ERROR), &names);
	for (size_t i = 0; i < names.count; i++)
		if (names.name[i][0] != '.')
			(*(job_ended(names.name[i]) ? &status->failed : &status->quarantined))++;
	disk_names_free(&names);
}

void look_at_queues(struct status *status)
{
	size_t kept = 0;

	for (size_t i = 0; i < status->conf->target_count; i++)
		add_queue(status, status->conf->target[i].name);
	add_others(status, SPOOL_OUTGOING);
	add_others(status, SPOOL_SENDING);
	for (size_t i = 0; i < status->queues; i++) {
		struct queue *queue = &status->queue[i];

		look_at_queue(status, queue);
		if (queue->target || queue->waiting || queue->sending) {
			status->queue[kept++] = *queue;
			continue;
		}
		free(queue->name); /* an empty directory that is left */
		free(queue->held);
	}
	status->queues = kept;
	status->all_held = held_words(status, NULL);
	count_ended(status);
}

/* ---- all ----------------------------------------------------------------------------------- */

void status_look(
	struct status *status, const struct spool *spool, const char *meant, struct lately *lately)
{
	struct locks locks;

	*status = (struct status){ .spool = spool, .now_us = clock_now_us(), .lately = lately };
	running_look(meant, &status->running);
	if (locks_read(&locks) < 0)
		die(EXIT_TEMPORARY, "unable to read /proc/locks: %s; try again", strerror(errno));
	if (services_look(spool, &locks, &status->services) < 0)
		no_memory();
	status->conf = status->services.alive && status->running.copy ? status->running.copy
		       : status->running.conf                         ? status->running.conf
								      : status->running.copy;
	if (!status->conf)
		cli_no_conf(status->running.file, status->running.why);
	look_at_receiving(status, &locks);
	locks_free(&locks);
	look_at_queues(status);
	lately_look(lately, spool, status->now_us);
	look_at_disk(status);
	look_for_problems(status);
}

void status_free(struct status *status)
{
	for (size_t i = 0; i < status->connections; i++) {
		free(status->connection[i].name);
		json_decref(status->connection[i].assoc);
	}
	for (size_t i = 0; i < status->queues; i++) {
		free(status->queue[i].name);
		free(status->queue[i].held);
	}
	for (size_t i = 0; i < status->problems; i++) {
		free(status->problem[i].what);
		free(status->problem[i].remedy);
	}
	free(status->connection);
	free(status->queue);
	free(status->problem);
	free(status->receiver_held);
	free(status->all_held);
	services_free(&status->services);
	running_free(&status->running);
	*status = (struct status){ 0 };
}
