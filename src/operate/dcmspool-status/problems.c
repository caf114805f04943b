/*
 * What waits for a person, the worst first, each with what that one is to type.
 */
#define _GNU_SOURCE /* vasprintf */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/moment.h"
#include "status.h"

static void add(struct status *status, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void add(struct status *status, const char *remedy, const char *format, ...)
{
	struct problem *more = realloc(status->problem, (status->problems + 1) * sizeof(*more));
	va_list args;
	int n;

	if (!more)
		no_memory();
	status->problem = more;
	more += status->problems++;
	va_start(args, format);
	n = vasprintf(&more->what, format, args);
	va_end(args);
	more->remedy = strdup(remedy);
	if (n < 0 || !more->remedy)
		no_memory();
}

/* The same with a remedy that names something. */
static char *remedy(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *remedy(const char *format, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		no_memory();
	return text;
}

#define ADD(status, how, ...)                                                                      \
	do {                                                                                       \
		char *how_ = how;                                                                  \
		add(status, how_, __VA_ARGS__);                                                    \
		free(how_);                                                                        \
	} while (0)

/* ---- what runs ----------------------------------------------------------------------------- */

static void judge_service(struct status *status, const struct service *service)
{
	const char *path = status->spool->path, *name = service->name;
	char since[MOMENT_SIZE];

	moment_text(service->since_us, since, sizeof(since));
	if (service->is == SERVICE_DOWN)
		ADD(status,
			remedy("the log of dcmspool up says why; mend that, then: "
			       "s6-svc -u %s/.service/%s",
				path, name),
			"%s is down since %s: it exited 100, and is not started again", name,
			since);
	else if (service->is == SERVICE_STOPPED)
		ADD(status, remedy("s6-svc -u %s/.service/%s", path, name),
			"%s is stopped since %s: somebody wanted it so", name, since);
	else if (service->is == SERVICE_ALONE)
		ADD(status, remedy("stop dcmspool up, and start it again"),
			"%s has no supervisor: when it ends, nobody starts it again", name);
	else if (service->is == SERVICE_UNKNOWN)
		ADD(status, remedy("be the user who runs dcmspool"),
			"whether %s is up cannot be seen", name);
	else if (service->again_and_again)
		ADD(status, remedy("the log of dcmspool up says why"),
			"%s ends again and again, and is started again", name);
}

static void judge_services(struct status *status)
{
	if (!status->services.alive) {
		ADD(status,
			remedy("dcmspool up -c %s (as a service: systemctl start dcmspool)",
				status->running.file),
			"no router runs on %s: nothing is received, routed or sent",
			status->spool->path);
		return;
	}
	for (size_t i = 0; i < status->services.count; i++)
		judge_service(status, &status->services.one[i]);
}

static void judge_configuration(struct status *status)
{
	const struct running *running = &status->running;

	if (running->why == EINVAL)
		ADD(status, remedy("dcmspool check -c %s", running->file), "%s has mistakes%s",
			running->file,
			status->services.alive ? "; what runs is what it was before"
					       : ", so nothing could be started");
	else if (running->why)
		ADD(status, remedy("be the user who runs dcmspool, or root"),
			"whether %s is what runs cannot be seen: %s", running->file,
			strerror(running->why));
	else if (status->services.alive && running->differ)
		ADD(status,
			remedy("dcmspool reload takes it; before that, what would change: "
			       "dcmspool what-if -c %s",
				running->file),
			"%s differs from what runs", running->file);
	if (status->services.alive && status->services.left_before)
		ADD(status, remedy("dcmspool reload"),
			"a reload was ended before all programs had taken the configuration");
}

/* ---- what is held, paused, full ------------------------------------------------------------ */

static void judge_queue(struct status *status, const struct queue *queue)
{
	const int64_t retry_max_us =
		queue->target ? (int64_t)queue->target->retry_max_ms * 1000 : 0;
	char since[MOMENT_SIZE], until[MOMENT_SIZE];

	moment_text(queue->pause.since_us, since, sizeof(since));
	moment_text(queue->pause.until_us, until, sizeof(until));
	if (queue->held && queue->waiting)
		ADD(status, remedy("dcmspool release %s", queue->name),
			"target %s is held%s, and %zu wait", queue->name, queue->held,
			queue->waiting);
	else if (queue->held)
		ADD(status, remedy("dcmspool release %s", queue->name), "target %s is held%s",
			queue->name, queue->held);
	if (!queue->target)
		ADD(status,
			remedy("put the target back, or route them again: dcmspool resend "
			       "target=%s, or drop them: dcmspool cancel target=%s",
				queue->name, queue->name),
			"there is no target %s in the configuration, and %zu wait for it",
			queue->name, queue->waiting);
	else if (queue->paused && (queue->pause.since_us < 0 ||
					  status->now_us - queue->pause.since_us > retry_max_us))
		ADD(status,
			remedy("dcmspool echo %s asks it; when it is mended: dcmspool retry %s",
				queue->name, queue->name),
			"target %s fails since %s, %ld times in a row: %s", queue->name,
			*since ? since : "?", queue->pause.failures,
			*queue->pause.reason ? queue->pause.reason : "no reason was told");
}

static void judge_disk(struct status *status)
{
	const struct disk *disk = &status->disk;
	const double free_bytes = (double)disk->fs.f_bavail * (double)disk->fs.f_frsize;
	const long min_free_mb = status->conf->receiver.min_free_mb;
	char size[SIZE_SIZE];

	if (!disk->known)
		return;
	size_text(free_bytes, size);
	if (free_bytes / 1048576 < (double)min_free_mb)
		ADD(status, remedy("make room, or let cleaner.retention be shorter"),
			"callers are refused: %s are free, less than receiver.min_free, %ld MB",
			size, min_free_mb);
	if (disk->fs.f_files > 0 && disk->fs.f_favail == 0)
		ADD(status,
			remedy("remove files, or let cleaner.retention be shorter; a file system "
			       "has as many inodes as it was made with"),
			"no file can be made: the file system has no inode left");
}

/* ---- what failed --------------------------------------------------------------------------- */

static void judge_errors(struct status *status)
{
	if (status->failed)
		ADD(status,
			remedy("dcmspool show state=failed; when it is mended: "
			       "dcmspool resend state=failed"),
			"%zu in error/ that a target did not take", status->failed);
	if (status->quarantined)
		ADD(status,
			remedy("cat %s/error/*/reason.txt; then move them to incoming/, or "
			       "remove them",
				status->spool->path),
			"%zu in error/ that could not be read as images", status->quarantined);
}

void look_for_problems(struct status *status)
{
	judge_services(status);
	judge_disk(status);
	judge_configuration(status);
	if (status->receiver_held)
		ADD(status, remedy("dcmspool release --receiver"),
			"reception is held%s: callers are told to come back later",
			status->receiver_held);
	if (status->all_held)
		ADD(status, remedy("dcmspool release all"),
			"all targets are held%s: nothing is sent", status->all_held);
	for (size_t i = 0; i < status->queues; i++)
		judge_queue(status, &status->queue[i]);
	judge_errors(status);
}

bool status_is_down(const struct status *status)
{
	return !status->services.alive;
}

int status_code(const struct status *status)
{
	if (status_is_down(status))
		return STATUS_DOWN;
	if (status->incomplete)
		return EXIT_TEMPORARY;
	return status->problems ? STATUS_WAITS : STATUS_WELL;
}
