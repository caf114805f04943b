#include "spool/held.h"

#include "base/disk.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1000 };

const char *held_name(const char *target)
{
	if (target && strcmp(target, HELD_RECEIVER) == 0)
		return "reception";
	return target ? target : HELD_ALL;
}

int held_open(const struct spool *spool, const char *target)
{
	if (target && strcmp(target, HELD_RECEIVER) == 0)
		return disk_open_dir(spool->dir[SPOOL_RECEIVING], ".");
	return disk_open_dir(spool->dir[SPOOL_OUTGOING], target ? target : ".");
}

bool held_is(int dir)
{
	return held_exists(dir) != 0;
}

int held_exists(int dir)
{
	return disk_exists(dir, HELD_FILE);
}

void held_tell(int dir, struct buf *text)
{
	char *data = disk_read_file(dir, HELD_FILE, TEXT_MAX, NULL);

	if (!data)
		return; /* held all the same */
	data[strcspn(data, "\n")] = '\0';
	for (char *c = data; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' '; /* it may have been written by hand, and goes to a terminal */
	if (*data)
		buf_printf(text, " (%s)", data);
	free(data);
}
