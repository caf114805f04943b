#include "spool/assoc.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { READING_MAX = 1 << 20 };

const char assoc_unknown[] = "unknown";
static const char marker[] = ".assoc.";

int assoc_store(int dir, const struct assoc *a)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s*, s:s, s:s, s:s*, s:s*, s:O*}", "association",
		a->name, "time", a->time, "peer", a->peer, "peer_port", a->peer_port, "calling_aet",
		a->calling_aet, "called_aet", a->called_aet, "local_port", a->local_port, "dropped",
		a->dropped, "stand_ins", a->stand_ins);
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
	return copy;
}

bool assoc_is_dropped(const json_t *assoc)
{
	return json_is_string(json_object_get(assoc, "dropped"));
}

const char *assoc_peer(const json_t *assoc)
{
	return assoc_is_dropped(assoc) ? NULL : json_string_value(json_object_get(assoc, "peer"));
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

int assoc_reading_say(int reading, const char *path)
{
	size_t length = strlen(path);

	if (pwrite(reading, path, length, 0) != (ssize_t)length)
		length = 0; /* a crash is not attributed to it then, nor to the one before */
	return ftruncate(reading, (off_t)length);
}

char *assoc_reading_load(int dir)
{
	return disk_read_file(dir, file_name(FILE_READING), READING_MAX, NULL);
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

void assoc_marker(const char *association, char out[ASSOC_MARKER_SIZE])
{
	(void)snprintf(out, ASSOC_MARKER_SIZE, "%s%s", marker, association); /* name_ok(): fits */
}

bool assoc_is_marker(const char *name)
{
	return strncmp(name, marker, sizeof(marker) - 1) == 0;
}
