/*
 * dcmspool-retry: what waits for its next try is tried now. dcmspool-retry(8); again.h does it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "again.h"
#include "spool/held.h"
#include "spool/job.h"
#include "spool/journal.h"
#include "base/log.h"
#include "cli/options.h"
#include "cli/operator.h"

static const char usage[] = "usage: dcmspool-retry [-n] [-c FILE] JOB|TARGET|all ...\n";

enum { USER_SIZE = 64, REASON_SIZE = 300 };

/* What every function here needs. Those that return int return an exit code: 0 or EXIT_TEMPORARY,
 * and what tells where a job is, EXIT_PERMANENT too. */
struct retry {
	const struct conf *conf;
	struct spool spool;
	char by[USER_SIZE];
};

static int listing_failed(const struct retry *retry, const char *what)
{
	log_error("unable to list %s/%s: %s; try again", retry->spool.path, what, strerror(errno));
	return EXIT_TEMPORARY;
}

static bool is_queue(const struct retry *retry, const char *name)
{
	int dir = disk_open_dir(retry->spool.dir[SPOOL_OUTGOING], name);

	if (dir >= 0)
		(void)close(dir); /* only looked at */
	return dir >= 0;
}

/* The dispatchers see that a pause is gone, but not what goes inside of a job. They are woken also
 * when there was nothing to remove: whoever did that may have been killed before it came to this.
 */
static int wake(const struct retry *retry, const char *target)
{
	if (!is_queue(retry, target))
		return 0; /* it wakes them by being made */
	if (queues_wake(&retry->spool, target) == 0)
		return 0;
	log_error("unable to wake the dispatchers by a file in outgoing/%s: %s; they look there at "
		  "the next event; make room, or mend the permissions",
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

static void tell_held(const struct retry *retry, const char *target)
{
	int dir = held_open(&retry->spool, target);
	const char *name = target ? target : HELD_ALL;
	struct buf text = { 0 };

	if (dir < 0)
		return; /* there is no such queue */
	if (held_is(dir)) {
		held_tell(dir, &text);
		(void)printf("%s: held%s, so nothing is sent until: dcmspool release %s\n", name,
			text.data ? text.data : "", name);
	}
	buf_free(&text);
	(void)close(dir); /* only used as a base */
}

/* What else keeps the jobs of a target where they are. */
static void tell_obstacles(const struct retry *retry, const char *target)
{
	if (!conf_target(retry->conf, target))
		(void)printf("%s: is no target in %s, so nobody sends to it\n", target,
			retry->conf->file);
	tell_held(retry, target);
}

/* The jobs of a target's queue that wait for a time: *done. The others only count. */
static int retry_jobs(const struct retry *retry, const char *target, size_t *done, size_t *waiting)
{
	int outgoing = retry->spool.dir[SPOOL_OUTGOING], code = 0;
	struct disk_names names;

	*done = *waiting = 0;
	if (!is_queue(retry, target))
		return 0; /* no dispatcher has made it yet */
	if (disk_list(outgoing, target, &names) < 0)
		return listing_failed(retry, spool_name(SPOOL_OUTGOING));
	for (size_t i = 0; i < names.count; i++) {
		struct queued job = { 0 };
		char path[2 * QUEUES_NAME_SIZE + sizeof("//retry.json")];
		enum again again;

		(void)snprintf(job.target, sizeof(job.target), "%s", target);
		(void)snprintf(job.name, sizeof(job.name), "%s", names.name[i]);
		(void)snprintf(path, sizeof(path), "%s/%s/retry.json", job.target, job.name);
		*waiting += job_study(job.name) != NULL;
		if (!name_ok(names.name[i]) || disk_exists(outgoing, path) != 1)
			continue;
		again = again_job(&retry->spool, &job);
		*done += again == AGAIN_DONE;
		if (again == AGAIN_BUSY || again == AGAIN_FAILED)
			code = failed(&job, again);
	}
	disk_names_free(&names);
	return code;
}

/* Tells journal and operator. job: NULL for all of the target. */
static void announce(const struct retry *retry, const char *target, const char *job,
	const char *paused, size_t jobs)
{
	const char *by = retry->by;

	journal_write(&retry->spool, "retry-asked", "job", job, "target", target, "by", by, NULL);
	(void)printf("%s%s%s: is tried now", job ? job : "", job ? "." : "", target);
	if (paused)
		(void)printf("; %s was paused%s%s", target, *paused ? ": " : "", paused);
	if (jobs > 0)
		(void)printf("; jobs that were to be tried later: %zu", jobs);
	(void)putchar('\n'); /* operator_close() sees a failure to write */
}

static int retry_target(const struct retry *retry, const char *target)
{
	char reason[REASON_SIZE];
	size_t done, waiting;
	int code = retry_jobs(retry, target, &done, &waiting);
	enum again pause = again_target(&retry->spool, target, reason, sizeof(reason));

	if (pause == AGAIN_FAILED || pause == AGAIN_BUSY)
		code = pause_failed(target, pause);
	if (done > 0 || pause == AGAIN_DONE)
		announce(retry, target, NULL, pause == AGAIN_DONE ? reason : NULL, done);
	else if (code == 0)
		(void)printf("%s: nothing waits for its next try; jobs in the queue: %zu\n", target,
			waiting);
	tell_obstacles(retry, target);
	return code | wake(retry, target);
}

static int retry_all(const struct retry *retry)
{
	struct disk_names names;
	int code = 0;

	if (disk_list(retry->spool.dir[SPOOL_OUTGOING], ".", &names) < 0)
		return listing_failed(retry, spool_name(SPOOL_OUTGOING));
	for (size_t i = 0; i < names.count; i++)
		if (name_ok(names.name[i]) && is_queue(retry, names.name[i]))
			code |= retry_target(retry, names.name[i]);
	disk_names_free(&names);
	return code;
}

/* The job waits. */
static int retry_waiting(const struct retry *retry, const struct queued *job, bool retries)
{
	char reason[REASON_SIZE];
	enum again pause = again_target(&retry->spool, job->target, reason, sizeof(reason));
	bool failed_to = pause == AGAIN_FAILED || pause == AGAIN_BUSY;
	int code = failed_to ? pause_failed(job->target, pause) : 0;

	if (retries || pause == AGAIN_DONE)
		announce(retry, job->target, job->name, pause == AGAIN_DONE ? reason : NULL, 0);
	else if (code == 0)
		(void)printf("%s.%s: does not wait for a next try\n", job->name, job->target);
	tell_obstacles(retry, job->target);
	return code | wake(retry, job->target);
}

/* Where a job is that is in no queue, and what to do. */
static int tell_elsewhere(const struct retry *retry, const struct queued *meant)
{
	struct disk_names paths;
	size_t count;

	if (queues_elsewhere(&retry->spool, meant, &paths) < 0)
		return listing_failed(retry, "");
	count = paths.count;
	for (size_t i = 0; i < count; i++) {
		const char *path = paths.name[i];

		if (strncmp(path, "incoming/", 9) == 0 || strncmp(path, "routing/", 8) == 0)
			log_error(
				"%s is being routed, in %s; it needs no retry", meant->name, path);
		else
			log_error("%s waits no more, it lies in %s; to route it again: mv %s/%s "
				  "%s/incoming/",
				meant->name, path, retry->spool.path, path, retry->spool.path);
	}
	disk_names_free(&paths);
	if (count > 0)
		return EXIT_PERMANENT;
	log_error("there is no job %s in the spool %s", meant->name, retry->spool.path);
	return job_study(meant->name) ? EXIT_PERMANENT
				      : operator_no_target(retry->conf, meant->name);
}

static int retry_job(const struct retry *retry, const struct queued *job)
{
	enum again again = again_job(&retry->spool, job);

	switch (again) {
	case AGAIN_DONE:
	case AGAIN_NOTHING:
		return retry_waiting(retry, job, again == AGAIN_DONE);
	case AGAIN_SENDING:
		(void)printf("%s.%s: is being sent\n", job->name, job->target);
		return 0;
	case AGAIN_GONE:
		return tell_elsewhere(retry, job);
	case AGAIN_BUSY:
	case AGAIN_FAILED:
		break;
	}
	return failed(job, again);
}

static int retry_meant(const struct retry *retry, const struct queued *meant)
{
	struct queued_list list;
	int code = 0, result;

	if (!*meant->target && strcmp(meant->name, HELD_ALL) == 0)
		return retry_all(retry);
	if (!*meant->target &&
		(conf_target(retry->conf, meant->name) || is_queue(retry, meant->name)))
		return retry_target(retry, meant->name);
	if (queues_find(&retry->spool, meant, &list) < 0)
		return listing_failed(retry, spool_name(SPOOL_OUTGOING));
	if (list.count == 0)
		code = tell_elsewhere(retry, meant);
	for (size_t i = 0; i < list.count; i++) {
		result = retry_job(retry, &list.item[i]);
		code = result > code ? result : code;
	}
	queues_free(&list);
	return code;
}

int main(int argc, char *argv[])
{
	static struct retry retry; /* for the life of the process */
	struct queued *meant;
	int code = 0;

	log_open(argv[0]);
	retry.conf = cli_options(argc, argv, "", NULL, usage);
	operator_needs(argc - optind, "the job, the target, or all, is missing", usage);
	meant = calloc((size_t)argc, sizeof(*meant));
	if (!meant)
		die(EXIT_TEMPORARY, "out of memory");
	for (int i = optind; i < argc; i++)
		if (queues_operand(retry.conf->spool, argv[i], &meant[i]) < 0)
			exit(EXIT_PERMANENT); /* all or nothing */
	operator_open(&retry.spool, retry.conf);
	operator_name(retry.by, sizeof(retry.by));
	for (int i = optind; i < argc; i++) {
		int result = retry_meant(&retry, &meant[i]);

		code = result > code ? result : code;
	}
	tell_held(&retry, NULL);
	free(meant);
	return operator_close(code);
}
