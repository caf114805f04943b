#include "spool/retry.h"

#include "base/jsonfile.h"
#include "spool/file.h"
#include "spool/spool.h"

void retry_load(int job, struct retry *out)
{
	json_t *json = jsonfile_load(job, file_name(FILE_RETRY));

	*out = (struct retry){ .since_us = -1 };
	if (!json)
		return;
	out->not_before_us = spool_stamp_time(jsonfile_text(json, "not_before"));
	if (out->not_before_us < 0)
		out->not_before_us = 0;
	out->breaks = (long)json_integer_value(json_object_get(json, "breaks"));
	out->since_us = spool_stamp_time(jsonfile_text(json, "since"));
	json_decref(json);
}

int retry_exists(int job)
{
	return file_exists(job, FILE_RETRY);
}

int retry_store(int job, const struct retry *retry)
{
	char not_before[SPOOL_STAMP_SIZE], since[SPOOL_STAMP_SIZE];
	json_t *json;
	int result;

	spool_stamp(retry->not_before_us, not_before, sizeof(not_before));
	spool_stamp(retry->since_us, since, sizeof(since));
	if (retry->since_us < 0)
		json = json_pack("{s:s}", "not_before", not_before);
	else
		json = json_pack("{s:s, s:I, s:s}", "not_before", not_before, "breaks",
			(json_int_t)retry->breaks, "since", since);
	result = jsonfile_store(job, file_name(FILE_RETRY), json);
	json_decref(json);
	return result;
}

int retry_remove(int job)
{
	return file_remove(job, FILE_RETRY);
}
