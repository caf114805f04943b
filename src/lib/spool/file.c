#include "spool/file.h"

#include "base/disk.h"
#include "base/str.h"
#include "spool/assoc.h"
#include "spool/held.h"

#include <string.h>

/* spent: what is left of an earlier job, and signs that have served (STATES.md 5, J1). */
static const struct {
	const char *name;
	unsigned int places;
	bool spent;
} files[FILES] = {
	[FILE_ASSOCIATION] = { "association.json", FILE_IN_ASSOCIATION, true },
	[FILE_READING] = { ".reading", FILE_IN_ASSOCIATION, false },
	[FILE_CORRECTED] = { ".corrected", FILE_IN_ASSOCIATION, false },
	[FILE_SERIES] = { "series.json", FILE_IN_BATCH | FILE_IN_JOB, false },
	[FILE_FILED] = { "filed", FILE_IN_BATCH, true },
	[FILE_AHEAD] = { "ahead.json", FILE_IN_BATCH, false },
	[FILE_COMPLETE] = { ".complete", FILE_IN_BATCH, true },
	[FILE_PLAN] = { "plan.json", FILE_IN_JOB, false },
	[FILE_FANOUT_NEW] = { ".fanout.new", FILE_IN_JOB, false },
	[FILE_FANOUT] = { "fanout", FILE_IN_JOB, false },
	[FILE_JOB] = { "job.json", FILE_IN_JOB, true },
	[FILE_LEDGER] = { "sent.log", FILE_IN_JOB, true },
	[FILE_RETRY] = { "retry.json", FILE_IN_JOB, true },
	[FILE_CANCELLED] = { "cancelled", FILE_IN_JOB, true },
	[FILE_FAILED] = { ".failed", FILE_IN_JOB, false },
	[FILE_REASON] = { "reason.txt", FILE_IN_JOB, true },
	[FILE_TOLD] = { ".told", FILE_IN_JOB, true },
	[FILE_PAUSED] = { "paused.json", FILE_IN_QUEUE, false },
	[FILE_PROBE] = { ".probe", FILE_IN_QUEUE, false },
	[FILE_IDLE] = { ".idle", 0, false },
	[FILE_PLACES] = { ".places", 0, false },
	[FILE_HELD] = { HELD_FILE, FILE_IN_QUEUE, false },
};

static const char temporary[] = ".new.", image[] = ".dcm";

const char *file_name(enum file file)
{
	return files[file].name;
}

int file_exists(int dir, enum file file)
{
	return disk_exists(dir, files[file].name);
}

int file_remove(int dir, enum file file)
{
	return disk_unlink(dir, files[file].name);
}

bool file_is_temporary(const char *name)
{
	return strncmp(name, temporary, sizeof(temporary) - 1) == 0;
}

bool file_is_ours(enum file_place place, const char *name)
{
	for (int i = 0; i < FILES; i++)
		if ((files[i].places & place) && strcmp(name, files[i].name) == 0)
			return true;
	return file_is_temporary(name) || ((place & FILE_IN_BATCH) && assoc_is_marker(name));
}

bool file_is_spent(const char *name)
{
	for (int i = 0; i < FILES; i++)
		if (files[i].spent && strcmp(name, files[i].name) == 0)
			return true;
	return file_is_temporary(name) || assoc_is_marker(name);
}

bool file_is_image(const char *name)
{
	size_t length = strlen(name), suffix = sizeof(image) - 1;

	return name_ok(name) && length > suffix && strcmp(name + length - suffix, image) == 0;
}
