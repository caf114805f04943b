/*
 * send-sftp: the sender for targets of type sftp; see send-sftp(8) and dcmspool-sender(7).
 *
 * One connection for all images of the job, one image after the other; see upload.h. An image is
 * answered once sftp has confirmed its rename, and the last one of a directory only after the
 * marker was written.
 */
#define _GNU_SOURCE /* O_TMPFILE */
#include "base/str.h"
#include "dicom/layout.h"
#include "sender/marker.h"
#include "sender/path.h"
#include "sender/sender.h"
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	DEFAULT_PORT = 22,
	DEFAULT_TIMEOUT_S = 60,
	MAX_TIMEOUT_S = 3600,
	MAX_FOLDER = 900, /* quoted, a command must stay below the 2,048 bytes of sftp's line */
	MAX_JOB = 200,
	BLOCK = 32768, /* sftp writes so much at once, and then waits for the limit's sake */
};

#define MAX_RATE 1000000000000L

struct sftp {
	struct sender sender;
	struct sender_ssh ssh;
	struct sender_marker *marker;
	struct upload upload;
	struct layout_path *path; /* for each image */
	char **directory;
	long port;
};

static void read_target(struct sftp *s)
{
	struct session_target *t = &s->upload.target;
	const char *folder = sender_need("FOLDER");
	long timeout_s = sender_number("TIMEOUT", 1, MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S);

	t->host = sender_need("HOST");
	t->username = sender_need("USERNAME");
	if (!sender_ssh_host_ok(t->host))
		sender_never("TARGET_HOST is '%s', which is no name of a host", t->host);
	if (!sender_ssh_user_ok(t->username))
		sender_never("TARGET_USERNAME is '%s', which is no name of a user", t->username);
	if (text_has_control(folder))
		sender_never("TARGET_FOLDER has a control character in it");
	if (strlen(folder) > MAX_FOLDER)
		sender_never("TARGET_FOLDER is longer than %d bytes", MAX_FOLDER);
	s->port = sender_number("PORT", 1, 65535, DEFAULT_PORT);
	s->upload.folder = folder;
	t->rate_limit = sender_number("RATE_LIMIT", 0, MAX_RATE, 0);
	t->silence_s = timeout_s + (t->rate_limit > 0 ? 2 * BLOCK / t->rate_limit : 0);
	sender_ssh_open(&s->ssh, s->port, timeout_s);
	t->ssh = &s->ssh;
	t->keep = -1;
}

static void read_job(struct sftp *s)
{
	const char *job = getenv("DCMSPOOL_JOB");

	if (!job)
		job = ""; /* which is none */
	if (!name_ok(job) || strlen(job) > MAX_JOB)
		sender_never("DCMSPOOL_JOB is not the name of a job");
	(void)snprintf(s->upload.part, sizeof(s->upload.part), ".%s.part", job);
	(void)snprintf(s->upload.moved, sizeof(s->upload.moved), ".%s.moved", job);
	sender_path_open(sender_need("LAYOUT"));
	s->marker = sender_marker_open(&s->sender);
	s->path = calloc(s->sender.count + 1, sizeof(*s->path));
	s->directory = calloc(s->sender.count + 1, sizeof(*s->directory));
	s->upload.scratch = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0660);
	if (!s->path || !s->directory)
		sender_no_memory();
	if (s->upload.scratch < 0)
		sender_own_fault("unable to make a temporary file: %s", strerror(errno));
	s->upload.target.keep = s->upload.scratch;
}

/* The directories of a path as one string. */
static char *join(const struct layout_path *path)
{
	struct buf b = { 0 };

	buf_puts(&b, "");
	for (size_t i = 0; i + 1 < path->count; i++)
		buf_printf(&b, "%s/", path->name[i]);
	if (b.failed)
		sender_no_memory();
	return b.data;
}

static void fail(struct sftp *s, size_t index, const char *text)
{
	sender_answer(&s->sender, index, SENDER_FAILED, SENDER_NO_STATUS, text);
}

/* Finds out where each image goes. */
static void make_paths(struct sftp *s)
{
	const char *unfit;
	char why[256];

	for (size_t i = 0; i < s->sender.count; i++) {
		if (!sender_path(s->sender.image[i].name, &s->path[i], why, sizeof(why))) {
			fail(s, i, why);
			continue;
		}
		s->directory[i] = join(&s->path[i]);
		if (sender_marker_expect(s->marker, i, &s->path[i], &unfit) < 0)
			fail(s, i, unfit);
	}
}

static enum upload_result send_one(struct sftp *s, size_t index)
{
	struct upload_item item = { s->sender.image[index].name, &s->path[index],
		s->directory[index] };
	enum upload_result result = upload_image(&s->upload, &item);
	char text[sizeof(s->upload.text)];

	memcpy(text, s->upload.text, sizeof(text));
	if (result != UPLOAD_STORED || !sender_marker_due(s->marker, index))
		return result;
	result = upload_marker(&s->upload, &item, sender_marker_name(s->marker));
	if (result == UPLOAD_STORED)
		memcpy(s->upload.text, text, sizeof(text));
	return result;
}

static void target_failed(struct sftp *s)
{
	const struct session_target *t = &s->upload.target;

	sender_target_failed(
		&s->sender, "%s@%s port %ld: %s", t->username, t->host, s->port, s->upload.text);
}

static void send_all(struct sftp *s)
{
	const char *refused = NULL; /* a directory that takes nothing */

	for (size_t i = 0; i < s->sender.count; i++) {
		enum upload_result result = UPLOAD_DIRECTORY;

		if (s->sender.image[i].answer != SENDER_UNSENT)
			continue;
		if (!refused || strcmp(refused, s->directory[i]) != 0)
			result = send_one(s, i);
		if (result == UPLOAD_BROKEN)
			sender_answer(
				&s->sender, i, SENDER_DOUBT, SENDER_NO_STATUS, s->upload.text);
		if (result == UPLOAD_BROKEN || result == UPLOAD_TARGET) {
			target_failed(s);
			return;
		}
		refused = result == UPLOAD_DIRECTORY ? s->directory[i] : NULL;
		if (result == UPLOAD_STORED)
			sender_answer(
				&s->sender, i, SENDER_STORED, SENDER_NO_STATUS, s->upload.text);
		else
			fail(s, i, s->upload.text);
	}
}

static void close_all(struct sftp *s)
{
	upload_close(&s->upload);
	for (size_t i = 0; s->path && i < s->sender.count; i++) {
		layout_free(&s->path[i]);
		free(s->directory[i]);
	}
	free(s->path);
	free(s->directory);
	if (s->upload.scratch >= 0)
		(void)close(s->upload.scratch); /* it has no name */
	sender_marker_close(s->marker);
	sender_ssh_close(&s->ssh);
}

int main(int argc, char *argv[])
{
	struct sftp s = { .upload = { .scratch = -1 } };

	(void)signal(SIGPIPE, SIG_IGN); /* an sftp that has ended is told by its output */
	sender_open(&s.sender, argv[0]);
	read_target(&s);
	if (sender_probing(argc, argv)) {
		if (upload_open(&s.upload) != UPLOAD_STORED)
			target_failed(&s);
	} else {
		read_job(&s);
		make_paths(&s);
		send_all(&s);
	}
	close_all(&s);
	return sender_close(&s.sender);
}
