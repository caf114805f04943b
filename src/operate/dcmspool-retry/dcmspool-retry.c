/*
 * dcmspool-retry: what waits for its next try is tried now. dcmspool-retry(8); again.h does it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/acting.h"
#include "cli/operator.h"
#include "spool/file.h"
#include "spool/held.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "again.h"

enum { REASON_SIZE = 300 };

/* Functions that return int return an exit code: 0 or EXIT_TEMPORARY, and what tells where a job
 * is, EXIT_PERMANENT too. */

static int listing_failed(const struct verb *verb, const char *what)
{
	log_error("unable to list %s/%s: %s; try again", verb->spool.path, what, strerror(errno));
	return EXIT_TEMPORARY;
}

/* What cannot be looked at counts as one: who goes on with it says why. */
static bool is_queue(const struct verb *verb, const char *name)
{
	int dir = disk_open_dir(verb->spool.dir[SPOOL_OUTGOING], name);

	if (dir < 0)
		return errno != ENOENT && errno != ENOTDIR && errno != ELOOP;
	(void)close(dir); /* only looked at */
	return true;
}

/* The dispatchers see that a pause is gone, but not what goes inside of a job. They are woken also
 * when there was nothing to remove: whoever did that may have been killed before it came to this.
 */
static int wake(const struct verb *verb, const char *target)
{
	if (!is_queue(verb, target))
		return 0; /* it wakes them by being made */
	if (queues_wake(&verb->spool, target) == 0)
		return 0;
	log_error("unable to wake the dispatchers by a file in outgoing/%s: %s; "
		  "they look there at the next event; make room, or mend the permissions",
		target, strerror(errno));
	return EXIT_TEMPORARY;
}

static int failed(const struct queued *job, enum again again)
{
	if (again == AGAIN_BUSY)
		log_error("unable to lock outgoing/%s/%s: somebody keeps it locked; try again",
			job->target, job->name);
	else
		log_error("unable to remove outgoing/%s/%s/retry.json: %s; mend the permissions",
			job->target, job->name, strerror(errno));
	return EXIT_TEMPORARY;
}

static int pause_failed(const char *target, enum again again)
{
	if (again == AGAIN_BUSY) {
		log_error(
			"unable to lock outgoing/%s: somebody keeps it locked; try again", target);
		return EXIT_TEMPORARY;
	}
	log_error("unable to end the pause in outgoing/%s/paused.json: %s; mend the permissions",
		target, strerror(errno));
	return EXIT_TEMPORARY;
}

static void tell_held(const struct verb *verb, const char *target)
{
	operator_tell_held(verb, target, "held", ", so nothing is sent until: dcmspool release");
}

static void tell_all_held(const struct verb *verb)
{
	tell_held(verb, NULL);
}

static bool is_held(const struct verb *verb, const char *target)
{
	int dir = held_open(&verb->spool, target);
	bool held = dir >= 0 && held_is(dir);

	if (dir >= 0)
		(void)close(dir); /* only used as a base */
	return held;
}

/* Will anybody send to the target now? */
static bool is_sent_to(const struct verb *verb, const char *target)
{
	return conf_target(verb->conf, target) && !is_held(verb, NULL) && !is_held(verb, target);
}

/* What else keeps the jobs of a target where they are. */
static void tell_obstacles(const struct verb *verb, const char *target)
{
	if (!conf_target(verb->conf, target))
		(void)printf("%s: is no target in %s, so nobody sends to it\n", target,
			verb->conf->file);
	tell_held(verb, target);
}

/* The jobs of a target's queue that wait for a time: *done. The others only count. */
static int retry_jobs(const struct verb *verb, const char *target, size_t *done, size_t *waiting)
{
	int outgoing = verb->spool.dir[SPOOL_OUTGOING], code = 0;
	struct disk_names names;

	*done = *waiting = 0;
	if (!is_queue(verb, target))
		return 0; /* no dispatcher has made it yet */
	if (disk_list(outgoing, target, &names) < 0)
		return listing_failed(verb, spool_name(SPOOL_OUTGOING));
	for (size_t i = 0; i < names.count; i++) {
		struct queued job = { 0 };
		char path[3 * QUEUES_NAME_SIZE];
		enum again again;
		int exists;

		(void)snprintf(job.target, sizeof(job.target), "%s", target);
		(void)snprintf(job.name, sizeof(job.name), "%s", names.name[i]);
		(void)snprintf(path, sizeof(path), "%s/%s/%s", job.target, job.name,
			file_name(FILE_RETRY));
		*waiting += job_study(job.name) != NULL;
		exists = name_ok(names.name[i]) ? disk_exists(outgoing, path) : 0;
		if (exists == 0 || (exists < 0 && errno == ENOTDIR))
			continue; /* else again_job() says why it cannot be known */
		again = again_job(&verb->spool, &job);
		*done += again == AGAIN_DONE;
		if (again == AGAIN_BUSY || again == AGAIN_FAILED)
			code = failed(&job, again);
	}
	disk_names_free(&names);
	return code;
}

/* Tells journal and operator. job: NULL for all of the target. */
static void announce(const struct verb *verb, const char *target, const char *job,
	const char *paused, size_t jobs)
{
	const struct spool *spool = &verb->spool;

	journal_write(spool, "retry-asked", "job", job, "target", target, "by", verb->by, NULL);
	(void)printf("%s%s%s: %s", job ? job : "", job ? "." : "", target,
		is_sent_to(verb, target) ? "is tried now" : "waits no longer for its next try");
	if (paused)
		(void)printf("; %s was paused%s%s", target, *paused ? ": " : "", paused);
	if (jobs > 0)
		(void)printf("; jobs that were to be tried later: %zu", jobs);
	(void)putchar('\n'); /* operator_main() sees a failure to write */
}

static int retry_target(const struct verb *verb, const char *target)
{
	char reason[REASON_SIZE];
	size_t done, waiting;
	int code = retry_jobs(verb, target, &done, &waiting);
	enum again pause = again_target(&verb->spool, target, reason, sizeof(reason));

	if (pause == AGAIN_FAILED || pause == AGAIN_BUSY)
		code = pause_failed(target, pause);
	if (done > 0 || pause == AGAIN_DONE)
		announce(verb, target, NULL, pause == AGAIN_DONE ? reason : NULL, done);
	else if (code == 0)
		(void)printf("%s: nothing waits for its next try; jobs in the queue: %zu\n", target,
			waiting);
	tell_obstacles(verb, target);
	return code | wake(verb, target);
}

static int retry_all(const struct verb *verb)
{
	struct disk_names names;
	int code = 0;

	if (disk_list(verb->spool.dir[SPOOL_OUTGOING], ".", &names) < 0)
		return listing_failed(verb, spool_name(SPOOL_OUTGOING));
	for (size_t i = 0; i < names.count; i++)
		if (name_ok(names.name[i]) && is_queue(verb, names.name[i]))
			code |= retry_target(verb, names.name[i]);
	disk_names_free(&names);
	return code;
}

/* The job waits. */
static int retry_waiting(const struct verb *verb, const struct queued *job, bool retries)
{
	char reason[REASON_SIZE];
	enum again pause = again_target(&verb->spool, job->target, reason, sizeof(reason));
	bool failed_to = pause == AGAIN_FAILED || pause == AGAIN_BUSY;
	int code = failed_to ? pause_failed(job->target, pause) : 0;

	if (retries || pause == AGAIN_DONE)
		announce(verb, job->target, job->name, pause == AGAIN_DONE ? reason : NULL, 0);
	else if (code == 0)
		(void)printf("%s.%s: does not wait for a next try\n", job->name, job->target);
	tell_obstacles(verb, job->target);
	return code | wake(verb, job->target);
}

/* Where a job is that is in no queue, and what to do. */
static int tell_elsewhere(const struct verb *verb, const struct queued *meant)
{
	struct disk_names paths;
	size_t count;

	if (queues_elsewhere(&verb->spool, meant, &paths) < 0)
		return listing_failed(verb, "");
	count = paths.count;
	for (size_t i = 0; i < count; i++) {
		const char *path = paths.name[i];

		if (strncmp(path, "incoming/", 9) == 0 || strncmp(path, "routing/", 8) == 0)
			log_error(
				"%s is being routed, in %s; it needs no retry", meant->name, path);
		else
			log_error("%s waits no more, it lies in %s; "
				  "to route it again: mv %s/%s %s/incoming/",
				meant->name, path, verb->spool.path, path, verb->spool.path);
	}
	disk_names_free(&paths);
	if (count > 0)
		return EXIT_PERMANENT;
	log_error("there is no job %s in the spool %s", meant->name, verb->spool.path);
	return job_study(meant->name) ? EXIT_PERMANENT
				      : operator_no_target(verb->conf, meant->name);
}

static int retry_job(const struct verb *verb, const struct queued *job)
{
	enum again again = again_job(&verb->spool, job);

	switch (again) {
	case AGAIN_DONE:
	case AGAIN_NOTHING:
		return retry_waiting(verb, job, again == AGAIN_DONE);
	case AGAIN_SENDING:
		(void)printf("%s.%s: is being sent\n", job->name, job->target);
		return 0;
	case AGAIN_GONE:
		return tell_elsewhere(verb, job);
	case AGAIN_BUSY:
	case AGAIN_FAILED:
		break;
	}
	return failed(job, again);
}

static int retry_meant(const struct verb *verb, const struct queued *meant)
{
	struct queued_list list;
	int code = 0, result;

	if (!*meant->target && strcmp(meant->name, HELD_ALL) == 0)
		return retry_all(verb);
	if (!*meant->target &&
		(conf_target(verb->conf, meant->name) || is_queue(verb, meant->name)))
		return retry_target(verb, meant->name);
	if (queues_find(&verb->spool, meant, &list) < 0)
		return listing_failed(verb, spool_name(SPOOL_OUTGOING));
	if (list.count == 0)
		code = tell_elsewhere(verb, meant);
	for (size_t i = 0; i < list.count; i++) {
		result = retry_job(verb, &list.item[i]);
		code = result > code ? result : code;
	}
	queues_free(&list);
	return code;
}

int main(int argc, char *argv[])
{
	static const struct verb_kind kind = {
		.usage = "usage: dcmspool-retry [-ny] [-c FILE] JOB|TARGET|all ... | QUERY ...\n",
		.missing = "the job, the target, or all, is missing",
		.on_job = retry_meant,
		.on_query = acting_query,
		.on_found = retry_job,
		.ask = "Try",
		.end = tell_all_held,
	};

	return operator_main(argc, argv, &kind);
}
