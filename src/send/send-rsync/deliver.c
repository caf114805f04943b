#include "deliver.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM = 11, REASON = 400 }; /* ITEM: the length of %i */

static const char probe_name[] = ".dcmspool-probe";

/* What rsync says of a target that takes nothing at the moment. */
static const char *const full[] = { "No space left on device", "Disk quota exceeded",
	"Read-only file system" };

static const char *is_full(const char *errors)
{
	for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++)
		if (strstr(errors, full[i]))
			return full[i];
	return NULL;
}

void deliver_failed(struct job *j, int status)
{
	char reason[REASON];

	if (status < 0)
		sender_no_program("rsync");
	if (j->rsync.errors.data[0] == '\0')
		(void)snprintf(reason, sizeof(reason), "rsync ended with status %d", status);
	else if (is_full(j->rsync.errors.data)) /* without the path of an image */
		(void)snprintf(reason, sizeof(reason), "%s", is_full(j->rsync.errors.data));
	else
		(void)sender_ssh_reason(
			&j->destination.ssh, j->rsync.errors.data, reason, sizeof(reason));
	sender_target_failed(&j->sender, "%s: %s", j->destination.base, reason);
}

void deliver_refused(struct job *j, size_t index, const char *text)
{
	sender_answer(&j->sender, index, SENDER_FAILED, SENDER_NO_STATUS, text);
}

/* Writes an empty file. */
static int mark(struct job *j, const char *directory, const char *name)
{
	char *path = destination_path(&j->destination, directory, name);
	int status = rsync_run(&j->rsync, RSYNC_MARK, path, NULL);

	free(path);
	return status;
}

/* Answers an image that is there, its directory's marker first. Returns -1 when the target failed.
 */
static int stored(struct job *j, size_t index, const char *directory)
{
	int status = RSYNC_OK;

	if (sender_marker_due(j->marker, index))
		status = mark(j, directory, sender_marker_name(j->marker));
	if (status != RSYNC_OK) {
		deliver_failed(j, status);
		return -1;
	}
	sender_answer(&j->sender, index, SENDER_STORED, SENDER_NO_STATUS, "stored");
	return 0;
}

/* Is this line of the second run that of a file which needs nothing? "." no transfer, "f" a file,
 * and neither checksum nor size differ. */
static bool unchanged(const char *line)
{
	return strlen(line) > ITEM && line[0] == '.' && line[1] == 'f' && line[ITEM] == ' ' &&
	       strspn(line + 2, " .") >= 2;
}

/* Answers what the second run has found. Returns -1 when the target failed. */
static int answer_stored(struct job *j, const char *directory)
{
	struct buf found = j->rsync.out; /* stored() runs rsync again */
	int result = 0;

	j->rsync.out = (struct buf){ 0 };
	for (char *line = found.data, *end; result == 0 && (end = strchr(line, '\n'));
		line = end + 1) {
		long index;

		*end = '\0';
		index = unchanged(line) ? sender_find(&j->sender, line + ITEM + 1) : -1;
		if (index >= 0)
			result = stored(j, (size_t)index, directory);
	}
	buf_free(&found);
	return result;
}

/* The line of rsync's complaints that names the file, or all of them in short. */
static void complaint(struct job *j, const char *errors, const char *name, char *out, size_t size)
{
	size_t length = strlen(name);

	for (const char *at = strstr(errors, name); at; at = strstr(at + 1, name)) {
		const char *begin = at;

		if (strchr("\"./ ", at[length]) == NULL && at[length] != '\n')
			continue; /* a longer name */
		while (begin > errors && begin[-1] != '\n')
			begin--;
		(void)snprintf(out, size, "%.*s", (int)strcspn(begin, "\n"), begin);
		return;
	}
	(void)sender_ssh_reason(&j->destination.ssh, errors, out, size);
	if (errors[0] == '\0')
		(void)snprintf(out, size, "rsync does not find it at the target after sending it");
}

/* Some images are not there, and the connection was well. Returns -1 when the target is to blame.
 */
static int blame(struct job *j, const struct item *item, size_t count, int status)
{
	const char *errors = j->rsync.errors.data;
	char reason[REASON];
	struct buf kept = { 0 };

	if (is_full(errors)) {
		deliver_failed(j, status);
		return -1;
	}
	buf_puts(&kept, errors);
	if (kept.failed)
		sender_no_memory();
	status = mark(j, "", probe_name);
	if (status != RSYNC_OK)
		deliver_failed(j, status);
	for (size_t i = 0; status == RSYNC_OK && i < count; i++) {
		const struct sender_image *image = &j->sender.image[item[i].index];

		complaint(j, kept.data, image->name, reason, sizeof(reason));
		deliver_refused(
			j, item[i].index, reason); /* one that has its answer gets no second */
	}
	buf_free(&kept);
	return status == RSYNC_OK ? 0 : -1;
}

static bool all_answered(const struct job *j, const struct item *item, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (j->sender.image[item[i].index].answer == SENDER_UNSENT)
			return false;
	return true;
}

static bool went_through(int status)
{
	return status == RSYNC_OK || status == RSYNC_FILE_IO || status == RSYNC_PARTIAL ||
	       status == RSYNC_VANISHED;
}

static bool broke_off(int status)
{
	return status == RSYNC_SOCKET || status == RSYNC_STREAM || status == RSYNC_SIGNAL ||
	       status == RSYNC_TIME_OUT || status == RSYNC_SSH;
}

/* The connection broke, and could be made again: at the first image that is not there, since rsync
 * sends them in order and the other side has each in its place before it takes the next. */
static void doubt(struct job *j, const struct item *item, size_t count, int status)
{
	char reason[REASON];

	(void)sender_ssh_reason(&j->destination.ssh, j->rsync.errors.data, reason, sizeof(reason));
	for (size_t i = 0; i < count; i++) {
		if (j->sender.image[item[i].index].answer != SENDER_UNSENT)
			continue;
		sender_answer(&j->sender, item[i].index, SENDER_DOUBT, SENDER_NO_STATUS, reason);
		break;
	}
	deliver_failed(j, status);
}

int deliver(struct job *j, const struct item *item, size_t count)
{
	char *path = destination_path(&j->destination, item->directory, NULL);
	struct buf list = { 0 }, errors = { 0 };
	int status, second = -1, result = -1;

	for (size_t i = 0; i < count; i++) {
		const char *name = j->sender.image[item[i].index].name;

		buf_add(&list, name, strlen(name) + 1);
	}
	if (list.failed)
		sender_no_memory();
	status = rsync_run(&j->rsync, RSYNC_SEND, path, &list);
	if (went_through(status) || broke_off(status)) {
		errors = j->rsync.errors;
		j->rsync.errors = (struct buf){ 0 };
		second = rsync_run(&j->rsync, RSYNC_VERIFY, path, &list);
	}
	if (!went_through(second)) {
		deliver_failed(j, errors.data ? second : status);
	} else if (answer_stored(j, item->directory) == 0) {
		buf_free(&j->rsync.errors);
		j->rsync.errors = errors; /* those of the first run tell why */
		errors = (struct buf){ 0 };
		if (all_answered(j, item, count))
			result = 0;
		else if (broke_off(status))
			doubt(j, item, count, status);
		else
			result = blame(j, item, count, status);
	}
	buf_free(&errors);
	buf_free(&list);
	free(path);
	return result;
}
