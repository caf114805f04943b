#include "upload.h"

#include "base/disk.h"
#include "dicom/layout.h"
#include "sender/sender.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

enum { MAX_NUMBER = 99, REASON = 400 };

/* What is under a name at the target. */
enum found { FOUND_SAME, FOUND_OTHER, FOUND_NOTHING, FOUND_FAILED };

static bool said(const struct upload *u, const char *words)
{
	return u->session.errors.data && strstr(u->session.errors.data, words);
}

/* The reason of a session that has failed, in words. */
static void explain(struct upload *u, const char *what, const char *object)
{
	char reason[REASON];
	size_t n;

	if (u->session.silent) {
		(void)snprintf(
			u->text, sizeof(u->text), "no progress for %ld s", u->target.silence_s);
		return;
	}
	(void)sender_ssh_reason(u->target.ssh, u->session.errors.data, reason, sizeof(reason));
	n = strlen(reason);
	(void)snprintf(u->text, sizeof(u->text), "%s%s%s%s%s", what, object, *what ? ": " : "",
		reason,
		n >= 7 && strcmp(reason + n - 7, "Failure") == 0
			? " (SFTP says no more; is its disk full?)"
			: "");
}

/* Runs the commands. A session that has failed is nowhere. */
static enum session_result run(struct upload *u)
{
	enum session_result result = session_run(&u->session);

	if (result != SESSION_OK)
		u->where = NULL;
	return result;
}

enum upload_result upload_open(struct upload *u)
{
	enum session_result result;

	if (u->where)
		return UPLOAD_STORED;
	session_end(&u->session);
	if (session_start(&u->session, &u->target) < 0)
		sender_no_program("sftp");
	session_command(&u->session, "cd", u->folder, NULL);
	result = run(u);
	if (result == SESSION_OK) {
		u->where = "";
		return UPLOAD_STORED;
	}
	explain(u, result == SESSION_REFUSED ? "folder " : "",
		result == SESSION_REFUSED ? u->folder : "");
	return UPLOAD_TARGET;
}

static void to_folder(struct upload *u)
{
	session_command(&u->session, "cd", NULL, NULL); /* where the login begins */
	session_command(&u->session, "cd", u->folder, NULL);
}

/* Takes away what an attempt has left in the folder. Of no consequence: the next attempt writes
 * over it. */
static void tidy(struct upload *u)
{
	char text[sizeof(u->text)];

	memcpy(text, u->text, sizeof(text)); /* what is to be told */
	if (upload_open(u) == UPLOAD_STORED) {
		session_command(&u->session, "-rm", u->part, NULL);
		session_command(&u->session, "-rm", u->moved, NULL);
		(void)run(u);
	}
	memcpy(u->text, text, sizeof(text));
}

/* Can this image be written to the folder itself, and renamed there? Takes away what the failed
 * attempt has left of it. */
static bool folder_takes(struct upload *u, const struct upload_item *item)
{
	enum session_result result;
	bool taken;

	if (upload_open(u) != UPLOAD_STORED)
		return false;
	/* Where one of these fails, rm finds no such file, or one of ours. */
	for (size_t i = 0; i + 1 < item->path->count; i++)
		session_command(&u->session, "-cd", item->path->name[i], NULL);
	session_command(&u->session, "-rm", u->part, NULL);
	to_folder(u);
	session_command(&u->session, "-rm", u->moved, NULL);
	result = run(u); /* on its own: its complaints are none */
	if (result == SESSION_OK) {
		session_command(&u->session, "put -f", item->image, u->part);
		session_command(&u->session, "rename -l", u->part, u->moved);
		result = run(u);
	}
	if (result == SESSION_OK)
		u->where = "";
	taken = result == SESSION_OK && !said(u, "remote fsync");
	if (!taken)
		explain(u,
			said(u, "remote rename") ? "unable to rename in " : "unable to write to ",
			u->folder);
	if (result != SESSION_LOST)
		tidy(u);
	return taken;
}

/* A step of an image has failed: whose fault is it? otherwise: what it is when the folder takes
 * the image; UPLOAD_DIRECTORY only before anything of it is sent. */
static enum upload_result blame(struct upload *u, const struct upload_item *item,
	enum session_result result, enum upload_result otherwise)
{
	char text[sizeof(u->text)];
	bool denied = said(u, "Permission denied"), ours = said(u, "local \"");

	explain(u, "", "");
	if (result == SESSION_LOST)
		return otherwise == UPLOAD_IMAGE ? UPLOAD_BROKEN : UPLOAD_TARGET;
	if (ours)
		return UPLOAD_IMAGE;
	memcpy(text, u->text, sizeof(text));
	if (!folder_takes(u, item))
		return UPLOAD_TARGET;
	memcpy(u->text, text, sizeof(text));
	return denied ? UPLOAD_DIRECTORY : otherwise;
}

static enum session_result enter(struct upload *u, const struct upload_item *item)
{
	enum session_result result;

	if (strcmp(u->where, item->directory) == 0)
		return SESSION_OK;
	to_folder(u);
	for (size_t i = 0; i + 1 < item->path->count; i++) {
		session_command(&u->session, "-mkdir", item->path->name[i], NULL);
		session_command(&u->session, "cd", item->path->name[i], NULL);
	}
	result = run(u);
	if (result == SESSION_OK)
		u->where = item->directory;
	return result;
}

/* put, which takes a failed fsync for a success (OpenSSH 9.2, sftp-client.c, do_upload()). */
static enum session_result put(struct upload *u, const char *file)
{
	enum session_result result;

	session_command(&u->session, "put -f", file, u->part);
	result = run(u);
	return result == SESSION_OK && said(u, "remote fsync") ? SESSION_REFUSED : result;
}

static void scratch_name(const struct upload *u, char *out, size_t size)
{
	(void)snprintf(out, size, "/proc/self/fd/%d", u->scratch);
}

/* Does the scratch file have the bytes of the image? 1, 0, or -1. */
static int same_bytes(const struct upload *u, const char *image)
{
	int fd = openat(AT_FDCWD, image, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat a, b;
	int same = -1;

	if (fd < 0)
		return -1;
	if (fstat(fd, &a) == 0 && fstat(u->scratch, &b) == 0)
		same = a.st_size == b.st_size ? disk_same_bytes(fd, 0, u->scratch, 0) : 0;
	(void)close(fd); /* only read */
	return same;
}

/* Fetches what has the name, and compares. */
static enum found look(
	struct upload *u, const char *image, const char *name, enum session_result *result)
{
	char scratch[64];
	int same;

	*result = SESSION_REFUSED;
	if (ftruncate(u->scratch, 0) < 0)
		return FOUND_FAILED;
	scratch_name(u, scratch, sizeof(scratch));
	session_command(&u->session, "-get", name, scratch);
	*result = run(u);
	if (*result != SESSION_OK)
		return FOUND_FAILED;
	if (said(u, " not found"))
		return FOUND_NOTHING;
	same = same_bytes(u, image);
	if (same < 0 || said(u, "local \"")) /* no room for it here: nothing is known */
		sender_own_fault("unable to compare %s with what is at the target: %s", image,
			same < 0 ? strerror(errno) : u->session.errors.data);
	return same ? FOUND_SAME : FOUND_OTHER;
}

/* The image is there: nothing of it remains under the temporary name. */
static enum upload_result stored(
	struct upload *u, const char *how, const char *name, bool put_aside)
{
	(void)snprintf(u->text, sizeof(u->text), "%s%s", how, name);
	if (put_aside) {
		session_command(&u->session, "-rm", u->part, NULL);
		(void)run(u); /* a remainder is written over by the next attempt */
	}
	return UPLOAD_STORED;
}

enum { TAKEN = -1 };

/* Tries one name. TAKEN: something else has it. *aside: the image is complete under the temporary
 * name. */
static int place(struct upload *u, const struct upload_item *item, const char *name, bool *aside)
{
	enum session_result result = SESSION_OK;

	for (int round = 0; round < 2; round++) {
		enum found found = FOUND_NOTHING;

		if (upload_open(u) != UPLOAD_STORED)
			return UPLOAD_TARGET;
		result = enter(u, item);
		if (result != SESSION_OK)
			return blame(u, item, result, UPLOAD_DIRECTORY);
		if (u->careful)
			found = look(u, item->image, name, &result);
		if (found == FOUND_SAME)
			return stored(u, "stored already", "", *aside);
		if (found == FOUND_OTHER)
			return TAKEN;
		if (found == FOUND_FAILED)
			return blame(u, item, result, UPLOAD_IMAGE);
		result = *aside ? SESSION_OK : put(u, item->image);
		if (result != SESSION_OK)
			return blame(u, item, result, UPLOAD_IMAGE);
		*aside = true;
		session_command(&u->session, "rename -l", u->part, name);
		result = run(u);
		if (result == SESSION_OK)
			return stored(u, "stored as ", name, false);
		if (result == SESSION_LOST)
			break;
		u->careful = true; /* so it looks in the second round */
	}
	return blame(u, item, result, UPLOAD_IMAGE);
}

enum upload_result upload_image(struct upload *u, const struct upload_item *item)
{
	const char *last = item->path->name[item->path->count - 1];
	bool aside = false;

	for (unsigned n = 1; n <= MAX_NUMBER; n++) {
		char *name = layout_numbered(last, n);
		int result;

		if (!name)
			sender_no_memory();
		result = place(u, item, name, &aside);
		free(name);
		if (result == UPLOAD_STORED && n == 1 && !strstr(u->text, "already"))
			(void)snprintf(u->text, sizeof(u->text), "stored");
		if (result != TAKEN)
			return (enum upload_result)result;
	}
	(void)snprintf(u->text, sizeof(u->text),
		"%s and %d more of its name are taken by other files; move them away", last,
		MAX_NUMBER - 1);
	return UPLOAD_IMAGE;
}

enum upload_result upload_marker(struct upload *u, const struct upload_item *item, const char *name)
{
	enum session_result result;
	char scratch[64];

	if (upload_open(u) != UPLOAD_STORED)
		return UPLOAD_TARGET;
	if (ftruncate(u->scratch, 0) < 0)
		sender_own_fault("unable to make an empty file: %s", strerror(errno));
	scratch_name(u, scratch, sizeof(scratch));
	result = enter(u, item);
	if (result == SESSION_OK)
		result = put(u, scratch);
	if (result == SESSION_OK) {
		session_command(&u->session, "-rm", name, NULL); /* of an earlier job */
		session_command(&u->session, "rename -l", u->part, name);
		result = run(u);
	}
	return result == SESSION_OK ? UPLOAD_STORED : blame(u, item, result, UPLOAD_IMAGE);
}

void upload_close(struct upload *u)
{
	session_end(&u->session);
	session_free(&u->session);
}
