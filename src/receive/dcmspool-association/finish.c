#include "association.h"

#include "base/disk.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* association.json goes last: without it, and empty, a directory is one that never began. */
static const char *const own[] = { ".reading", ".corrected", ".new." ASSOCIATION_JSON,
	ASSOCIATION_JSON };

/* The router waits for these markers to go. A batch that is claimed meanwhile takes its marker
 * along, and needs it no longer. */
static int remove_markers(const struct association *a)
{
	char marker[sizeof(".assoc.") + ASSOCIATION_NAME_SIZE + 256];
	int incoming = a->spool->dir[SPOOL_INCOMING], result = 0;
	struct disk_names names;

	(void)snprintf(marker, sizeof(marker), ".assoc.%s", a->name); /* fits */
	if (disk_list(incoming, ".", &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		int batch = disk_open_dir(incoming, names.name[i]);

		if (batch < 0)
			continue; /* gone, or a file dropped by hand */
		if (disk_unlink(batch, marker) < 0)
			result = -1;
		(void)close(batch); /* only a handle */
	}
	disk_names_free(&names);
	return result;
}

int association_finish(const struct association *a)
{
	int receiving = a->spool->dir[SPOOL_RECEIVING];
	struct disk_names names;
	size_t images = 0;

	if (disk_list(a->dir, ".", &names) < 0) {
		log_error("unable to list receiving/%s: %s", a->name, strerror(errno));
		return -1;
	}
	for (size_t i = 0; i < names.count; i++) {
		bool ours = false;

		for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++)
			ours = ours || strcmp(names.name[i], own[k]) == 0;
		images += !ours;
	}
	disk_names_free(&names);
	if (images > 0) {
		log_error("unable to finish receiving/%s: %zu files remain", a->name, images);
		return -1;
	}
	if (remove_markers(a) < 0)
		goto failed;
	for (size_t k = 0; k < sizeof(own) / sizeof(own[0]); k++)
		if (disk_unlink(a->dir, own[k]) < 0)
			goto failed;
	if (unlinkat(receiving, a->name, AT_REMOVEDIR) == 0)
		return 0;
failed:
	log_error("unable to remove receiving/%s: %s", a->name, strerror(errno));
	return -1;
}
