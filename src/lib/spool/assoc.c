#include "spool/assoc.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "base/str.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READING_MAX = 1 << 20 };

const char assoc_unknown[] = "unknown";
static const char marker[] = ".assoc.";

int assoc_store(int dir, const struct assoc *a)
{
	json_t *json = json_pack(
		"{s:s, s:s, s:s, s:s*, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:O*, s:b}", "association",
		a->name, "time", a->time, "peer", a->peer, "peer_port", a->peer_port, "calling_aet",
		a->calling_aet, "called_aet", a->called_aet, "local_port", a->local_port,
		"certificate", a->certificate, "sender", a->sender, "dropped", a->dropped,
		"stand_ins", a->stand_ins, "ok", !a->dropped);
	int result = -1;

	if (json)
		result = jsonfile_store(dir, file_name(FILE_ASSOCIATION), json);
	else
		errno = EILSEQ;
	json_decref(json);
	return result;
}

json_t *assoc_load(int dir)
{
	return jsonfile_load(dir, file_name(FILE_ASSOCIATION));
}

json_t *assoc_sender(const json_t *assoc)
{
	json_t *copy = json_copy((json_t *)assoc); /* jansson's is not const, and changes nothing */

	(void)json_object_del(copy, "stand_ins"); /* if it was there */
	(void)json_object_del(copy, "ok");
	return copy;
}

bool assoc_is_dropped(const json_t *assoc)
{
	return json_is_string(json_object_get(assoc, "dropped"));
}

bool assoc_has_ok(const json_t *assoc)
{
	return json_is_true(json_object_get(assoc, "ok")) && !assoc_is_dropped(assoc);
}

json_t *assoc_stand_ins(const json_t *assoc)
{
	return json_object_get(assoc, "stand_ins");
}

int assoc_reading_open(int dir)
{
	return openat(
		dir, file_name(FILE_READING), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0660);
}

int assoc_reading_say(int reading, const struct assoc_counts *c, const char *path)
{
	struct buf text = { 0 };
	int result = -1;

	buf_printf(&text, "%lu %lu %lu %lu\n%s", c->received, c->filed, c->duplicates,
		c->quarantined, path);
	if (text.failed)
		errno = ENOMEM;
	else if (pwrite(reading, text.data, text.length + 1, 0) == (ssize_t)text.length + 1)
		result = ftruncate(
			reading, (off_t)text.length + 1); /* what is behind a NUL is not read */
	if (result < 0) /* a crash is not attributed to it then, nor to the one before */
		(void)ftruncate(reading, 0);
	buf_free(&text);
	return result;
}

char *assoc_reading_load(int dir, struct assoc_counts *c)
{
	char *text = disk_read_file(dir, file_name(FILE_READING), READING_MAX, NULL);
	int length = 0;

	*c = (struct assoc_counts){ 0 };
	if (text &&
		sscanf(text, "%lu %lu %lu %lu%n", &c->received, &c->filed, &c->duplicates,
			&c->quarantined, &length) == 4 &&
		text[length] == '\n') {
		memmove(text, text + length + 1, strlen(text + length));
		return text;
	}
	*c = (struct assoc_counts){ 0 };
	free(text);
	return NULL;
}

int assoc_remove_files(int dir)
{
	struct disk_names names;
	int result = disk_list(dir, ".", &names);

	for (size_t i = 0; i < names.count && result == 0; i++)
		if (strcmp(names.name[i], file_name(FILE_ASSOCIATION)) != 0 &&
			file_is_ours(FILE_IN_ASSOCIATION, names.name[i]))
			result = disk_unlink(dir, names.name[i]);
	disk_names_free(&names);
	return result < 0 ? -1 : file_remove(dir, FILE_ASSOCIATION);
}

bool assoc_is_acknowledged(const char *name)
{
	size_t length = strlen(name), suffix = strlen(ASSOC_OK);

	return *name != '.' && length > suffix && strcmp(name + length - suffix, ASSOC_OK) == 0;
}

void assoc_file(const char *name, char out[NAME_MAX + 1])
{
	size_t length = strlen(name) - (assoc_is_acknowledged(name) ? strlen(ASSOC_OK) : 0);

	(void)snprintf(out, NAME_MAX + 1, "%.*s", (int)length, name); /* fits: a name */
}

void assoc_marker(const char *association, char out[ASSOC_MARKER_SIZE])
{
	(void)snprintf(out, ASSOC_MARKER_SIZE, "%s%s", marker, association); /* name_ok(): fits */
}

bool assoc_is_marker(const char *name)
{
	return strncmp(name, marker, sizeof(marker) - 1) == 0;
}

const char *assoc_of_marker(const char *name)
{
	return name + sizeof(marker) - 1;
}
