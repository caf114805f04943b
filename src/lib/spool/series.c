#include "spool/series.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "spool/file.h"
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

json_t *series_load(int dir)
{
	return jsonfile_load(dir, file_name(FILE_SERIES));
}

int series_exists(int dir)
{
	return file_exists(dir, FILE_SERIES);
}

json_t *series_make(int64_t received_us, json_t *sender, json_t *tags)
{
	char stamp[SPOOL_STAMP_SIZE];
	json_t *series;

	spool_stamp(received_us, stamp, sizeof(stamp));
	series = json_pack(
		"{s:s, s:O?, s:o}", "received", stamp, "association", sender, "tags", tags);
	if (!series)
		errno = ENOMEM;
	return series;
}

void series_tag_sender(json_t *tags, const json_t *sender)
{
	(void)json_object_set(tags, "SenderAddress", json_object_get(sender, "peer"));
	(void)json_object_set(tags, "SenderAET", json_object_get(sender, "calling_aet"));
	(void)json_object_set(tags, "ReceiverAET", json_object_get(sender, "called_aet"));
}

int series_store(int dir, const json_t *series)
{
	return jsonfile_store(dir, file_name(FILE_SERIES), series);
}

static int write_temporary(int batch, const char *temporary, const char *text)
{
	int fd, result;

	if (disk_unlink(batch, temporary) < 0)
		return -1;
	fd = openat(batch, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
	if (fd < 0)
		return -1;
	result = disk_write_all(fd, text, strlen(text));
	if (close(fd) < 0)
		return -1;
	return result;
}

int series_create(int batch, const json_t *series)
{
	char *text = json_dumps(series, JSON_INDENT(2)), temporary[64];
	int result, saved;

	if (!text) {
		errno = ENOMEM;
		return -1;
	}
	(void)snprintf(temporary, sizeof(temporary), ".new.series.%ld", (long)getpid());
	result = write_temporary(batch, temporary, text);
	if (result == 0) {
		result = disk_rename(batch, temporary, batch, file_name(FILE_SERIES));
		if (result < 0 && errno == EEXIST) /* another association was first */
			result = disk_unlink(batch, temporary);
	}
	saved = errno;
	if (result < 0)
		(void)disk_unlink(batch, temporary); /* the router removes what stays */
	free(text);
	errno = saved;
	return result;
}

json_t *series_tags(const json_t *series)
{
	return json_object_get(series, "tags");
}

const char *series_tag(const json_t *series, const char *keyword)
{
	return jsonfile_text(series_tags(series), keyword);
}

json_t *series_sender(const json_t *series)
{
	return json_object_get(series, "association");
}

int64_t series_received_us(const json_t *series)
{
	return spool_stamp_time(jsonfile_text(series, "received"));
}
