/*
 * dcmspool-cancel: a job that waits or is being sent is not sent, and goes to discard/.
 * dcmspool-cancel(8); take.h says how.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli/acting.h"
#include "cli/operator.h"
#include "spool/queues.h"
#include "take.h"

enum { PATH_SIZE = 600 };

/* Says what has become of one job of one target. Returns an exit code. */
static int tell(enum taken taken, const struct queued *job, const char *path)
{
	int reason = errno;

	switch (taken) {
	case TAKEN_DISCARDED:
		(void)printf("%s.%s: cancelled; it lies in %s\n", job->name, job->target, path);
		return 0;
	case TAKEN_ASKED:
		(void)printf(
			"%s.%s: is being sent; after the image that it is at it goes to discard/\n",
			job->name, job->target);
		return 0;
	case TAKEN_AHEAD:
		(void)printf("%s.%s: is being received; nothing more of it is sent, and when it is "
			     "complete it goes to discard/\n",
			job->name, job->target);
		return 0;
	case TAKEN_ORPHAN:
		(void)printf("%s.%s: its dispatcher is dead; "
			     "the next one that may send to %s moves it to discard/\n",
			job->name, job->target, job->target);
		return 0;
	case TAKEN_PARTLY:
		(void)printf(
			"%s.%s: images of it were given up just now; "
			"the next dispatcher that may send to %s moves the others to discard/\n",
			job->name, job->target, job->target);
		return 0;
	case TAKEN_SENT:
		log_error("too late for %s.%s: all of it was sent; it lies in %s", job->name,
			job->target, path);
		return EXIT_PERMANENT;
	case TAKEN_GIVEN_UP:
		log_error("too late for %s.%s: it was given up; it lies in %s", job->name,
			job->target, path);
		return EXIT_PERMANENT;
	case TAKEN_BUSY:
		log_error("unable to cancel %s.%s: a dispatcher keeps the lock of outgoing/%s; "
			  "if one was stopped (SIGSTOP), continue or kill it",
			job->name, job->target, job->target);
		return EXIT_TEMPORARY;
	case TAKEN_GONE:
	case TAKEN_FAILED:
		break;
	}
	log_error("unable to cancel %s.%s: %s; make room, or mend the permissions", job->name,
		job->target, strerror(reason));
	return EXIT_TEMPORARY;
}

/* Where a job is that is in no queue. Returns an exit code. */
static int tell_elsewhere(const struct spool *spool, const struct queued *meant)
{
	struct disk_names paths;
	int code = EXIT_PERMANENT;

	if (queues_elsewhere(spool, meant, &paths) < 0) {
		log_error(
			"unable to list the spool %s: %s; try again", spool->path, strerror(errno));
		return EXIT_TEMPORARY;
	}
	if (paths.count == 0)
		log_error("there is no job %s in the spool %s; see its outgoing/* and sending/*",
			meant->name, spool->path);
	for (size_t i = 0; i < paths.count; i++) {
		const char *path = paths.name[i];

		if (strncmp(path, "discard/", 8) == 0) {
			(void)printf("%s: is cancelled or was discarded already; it lies in %s\n",
				meant->name, path);
			code = 0;
		} else if (strncmp(path, "success/", 8) == 0) {
			log_error("too late for %s: it was sent; it lies in %s", meant->name, path);
		} else if (strncmp(path, "error/", 6) == 0) {
			log_error("nothing to cancel: %s was given up; it lies in %s", meant->name,
				path);
		} else {
			log_error("%s is being routed, in %s; try again in a moment", meant->name,
				path);
			code = EXIT_TEMPORARY;
		}
	}
	disk_names_free(&paths);
	return code;
}

static int cancel_job(const struct verb *verb, const struct queued *job)
{
	char path[PATH_SIZE];
	enum taken taken = take(&verb->spool, job, verb->by, path, sizeof(path));

	return taken == TAKEN_GONE ? tell_elsewhere(&verb->spool, job) : tell(taken, job, path);
}

static int cancel(const struct verb *verb, const struct queued *meant)
{
	const struct spool *spool = &verb->spool;
	struct queued_list list;
	int code = 0, result;

	if (queues_find(spool, meant, &list) < 0) {
		log_error("unable to list the queues of %s: %s; try again", spool->path,
			strerror(errno));
		return EXIT_TEMPORARY;
	}
	for (size_t i = 0; i < list.count; i++) {
		result = cancel_job(verb, &list.item[i]);
		code = result > code ? result : code;
	}
	if (list.count == 0)
		code = tell_elsewhere(spool, meant);
	queues_free(&list);
	return code;
}

int main(int argc, char *argv[])
{
	static const struct verb_kind kind = {
		.usage = "usage: dcmspool-cancel [-ny] [-c FILE] JOB ... | QUERY ...\n",
		.missing = "the job is missing",
		.on_job = cancel,
		.on_query = acting_query,
		.on_found = cancel_job,
		.ask = "Cancel",
	};

	return operator_main(argc, argv, &kind);
}
