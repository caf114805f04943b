#include "spool/stage.h"

#include <stddef.h>

const struct stage spool_stage[SPOOL_DIRS] = STAGE_ROWS;

enum spool_dir stage_next(enum spool_dir after, enum stage_holds holds)
{
	enum spool_dir dir = after;

	while (++dir < SPOOL_DIRS)
		if (spool_stage[dir].holds == holds)
			break;
	return dir;
}
