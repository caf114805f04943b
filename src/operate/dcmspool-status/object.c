/* The same for programs: one object. */
#include "base/jsonfile.h"
#include "status.h"

/* NULL for a moment that is not known, or never. */
static json_t *moment(int64_t time_us)
{
	char text[SPOOL_RFC3339_SIZE];

	if (time_us <= 0)
		return NULL;
	spool_rfc3339(time_us, text, sizeof(text));
	return json_string(text);
}

static json_t *text(const char *text)
{
	return text ? jsonfile_string(text) : NULL;
}

/* Appends, and dies for what could not be made. */
static void append(json_t *array, json_t *one)
{
	if (json_array_append_new(array, one) < 0)
		no_memory();
}

static json_t *services(const struct status *status)
{
	json_t *array = json_array();

	for (size_t i = 0; i < status->services.count; i++) {
		const struct service *one = &status->services.one[i];

		append(array, json_pack("{s:o, s:s, s:o*, s:o*, s:I, s:o*, s:o*, s:b}", "name",
				      text(one->name), "state", service_is_name(one->is), "pid",
				      one->pid ? json_integer(one->pid) : NULL, "since",
				      moment(one->since_us), "ends", (json_int_t)one->ends,
				      "last_end", moment(one->last_us), "last_status",
				      one->ends ? json_integer(one->last) : NULL,
				      "configuration_of_before", one->before));
	}
	return array;
}

static json_t *connections(const struct status *status)
{
	json_t *array = json_array();

	for (size_t i = 0; i < status->connections; i++) {
		const struct connection *one = &status->connection[i];

		append(array, json_pack("{s:o, s:o*, s:I, s:b, s:b, s:o, s:o, s:o}", "association",
				      text(one->name), "since", moment(one->since_us), "images",
				      (json_int_t)one->images, "dropped", one->dropped, "alive",
				      one->alive, "peer", text(jsonfile_text(one->assoc, "peer")),
				      "calling_aet", text(jsonfile_text(one->assoc, "calling_aet")),
				      "called_aet", text(jsonfile_text(one->assoc, "called_aet"))));
	}
	return array;
}

static json_t *paused(const struct queue *queue)
{
	if (!queue->paused)
		return NULL;
	return json_pack("{s:o*, s:o*, s:I, s:o}", "until", moment(queue->pause.until_us), "since",
		moment(queue->pause.since_us), "failures", (json_int_t)queue->pause.failures,
		"reason", text(queue->pause.reason));
}

static json_t *targets(const struct status *status)
{
	json_t *array = json_array();

	for (size_t i = 0; i < status->queues; i++) {
		const struct queue *one = &status->queue[i];
		const struct lately_sent *sent = lately_sent_to(status->lately, one->name);

		append(array, json_pack("{s:o, s:b, s:o*, s:o*, s:I, s:o*, s:I, s:I, s:I}",
				      "target", text(one->name), "configured", one->target != NULL,
				      "held", text(one->held), "paused", paused(one), "waiting",
				      (json_int_t)one->waiting, "oldest", moment(one->oldest_us),
				      "sending", (json_int_t)one->sending, "sent_series",
				      (json_int_t)(sent ? sent->jobs : 0), "sent_images",
				      (json_int_t)(sent ? sent->images : 0)));
	}
	return array;
}

static json_t *refused(const struct status *status)
{
	json_t *array = json_array();

	for (size_t i = 0; i < status->lately->refusals; i++) {
		const struct refusal *one = &status->lately->refusal[i];

		append(array, json_pack("{s:o, s:I, s:o*, s:o}", "reason", text(one->reason),
				      "count", (json_int_t)one->count, "last", moment(one->last_us),
				      "last_peer", text(one->last_peer)));
	}
	return array;
}

static json_t *errors(const struct status *status)
{
	json_t *array = json_array();

	for (size_t i = 0; i < LATELY_ERRORS && status->lately->error[i]; i++)
		append(array, json_incref(status->lately->error[i]));
	return json_pack("{s:I, s:o}", "today", (json_int_t)status->lately->errors, "last", array);
}

static json_t *problems(const struct status *status)
{
	json_t *array = json_array();

	for (size_t i = 0; i < status->problems; i++)
		append(array, json_pack("{s:o, s:o}", "what", text(status->problem[i].what),
				      "remedy", text(status->problem[i].remedy)));
	return array;
}

static json_t *disk(const struct status *status)
{
	const struct disk *disk = &status->disk;
	const struct conf *conf = status->conf;

	if (!disk->known)
		return json_null();
	return json_pack("{s:f, s:f, s:I, s:I, s:f, s:f, s:o*, s:I, s:s}", "free_bytes",
		(double)disk->fs.f_bavail * (double)disk->fs.f_frsize, "bytes",
		(double)disk->fs.f_blocks * (double)disk->fs.f_frsize, "free_inodes",
		(json_int_t)disk->fs.f_favail, "inodes", (json_int_t)disk->fs.f_files,
		"refuses_below_bytes", (double)conf->receiver.min_free_mb * 1048576,
		"bytes_a_second", disk->bytes_a_second, "refuses_at", moment(disk->full_us),
		"deletes_after_seconds", (json_int_t)conf->cleaner.retention_s, "deletes_between",
		conf->cleaner.offpeak);
}

json_t *status_object(const struct status *status)
{
	static const char *const states[] = { "well", "waits", "down" };
	const int code = status_code(status);

	return json_pack(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o*, s:o*, s:o, "
		"s:{s:I, s:I, s:I, s:I, s:I}, s:{s:i, s:I, s:I}, s:o, s:{s:I, s:I, s:I, s:I}, s:o}",
		"time", moment(status->now_us), "state",
		code <= STATUS_DOWN ? states[code] : "unknown", "spool", text(status->spool->path),
		"problems", problems(status), "services", services(status), "configuration",
		text(status->running.file), "configuration_differs", status->running.differ,
		"connections", connections(status), "refused_today", refused(status),
		"receiver_held", text(status->receiver_held), "all_held", text(status->all_held),
		"targets", targets(status), "collecting", "series", (json_int_t)status->batches,
		"images", (json_int_t)status->batch_images, "resent", (json_int_t)status->resent,
		"dropped", (json_int_t)status->dropped, "routing", (json_int_t)status->routing,
		"came", "seconds", LATELY_S, "series", (json_int_t)status->lately->series, "images",
		(json_int_t)status->lately->images, "disk", disk(status), "at_rest", "success",
		(json_int_t)status->success, "discard", (json_int_t)status->discard, "failed",
		(json_int_t)status->failed, "quarantined", (json_int_t)status->quarantined,
		"errors", errors(status));
}
