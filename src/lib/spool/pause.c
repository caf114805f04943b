#include "spool/pause.h"

#include "base/jsonfile.h"
#include "spool/file.h"
#include "spool/spool.h"

#include <errno.h>
#include <stdio.h>

int pause_load(int queue, struct pause *out)
{
	json_t *json = jsonfile_load(queue, file_name(FILE_PAUSED));

	*out = (struct pause){ .until_us = -1, .since_us = -1 };
	if (!json)
		return errno == ENOENT ? 0 : -1;
	out->until_us = spool_stamp_time(jsonfile_text(json, "until"));
	out->since_us = spool_stamp_time(jsonfile_text(json, "since"));
	out->failures = (long)json_integer_value(json_object_get(json, "failures"));
	(void)snprintf(out->reason, sizeof(out->reason), "%s", jsonfile_text(json, "reason"));
	json_decref(json);
	return 1;
}

int pause_store(int queue, const struct pause *pause)
{
	char until[SPOOL_STAMP_SIZE], since[SPOOL_STAMP_SIZE];
	json_t *json;
	int result;

	spool_stamp(pause->until_us, until, sizeof(until));
	spool_stamp(pause->since_us, since, sizeof(since));
	json = json_pack("{s:s, s:s, s:I, s:s}", "until", until, "since", since, "failures",
		(json_int_t)pause->failures, "reason", pause->reason);
	result = jsonfile_store(queue, file_name(FILE_PAUSED), json);
	json_decref(json);
	return result;
}

int pause_remove(int queue)
{
	return file_remove(queue, FILE_PAUSED);
}
