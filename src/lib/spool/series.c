#include "spool/series.h"

#include "base/disk.h"
#include "base/jsonfile.h"
#include "spool/file.h"
#include "spool/spool.h"

#include <errno.h>

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
	if (json_object_get(sender, "certificate"))
		(void)json_object_set(
			tags, "SenderCertificate", json_object_get(sender, "certificate"));
	(void)json_object_set(tags, "ReceiverAET", json_object_get(sender, "called_aet"));
}

int series_store(int dir, const json_t *series)
{
	return jsonfile_store(dir, file_name(FILE_SERIES), series);
}

int series_create(int batch, const json_t *series)
{
	return jsonfile_create(batch, file_name(FILE_SERIES), series);
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
