#include "association.h"

#include "base/disk.h"
#include "base/log.h"
#include "spool/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The router waits for these markers to go. A batch that is claimed meanwhile takes its marker
 * along, and needs it no longer. */
static int remove_markers(const struct association *a)
{
	char marker[ASSOC_MARKER_SIZE];
	int incoming = a->spool->dir[SPOOL_INCOMING], result = 0;
	struct disk_names names;

	assoc_marker(a->name, marker);
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

int association_settle(const struct association *a)
{
	struct disk_names names;
	size_t images = 0;

	if (disk_list(a->dir, ".", &names) < 0) {
		log_error("unable to list receiving/%s: %s", a->name, strerror(errno));
		return -1;
	}
	for (size_t i = 0; i < names.count; i++)
		images += !file_is_ours(FILE_IN_ASSOCIATION, names.name[i]);
	disk_names_free(&names);
	if (images > 0) {
		log_error("unable to finish receiving/%s: %zu files remain", a->name, images);
		return -1;
	}
	if (remove_markers(a) == 0)
		return 0;
	log_error("unable to remove the markers of receiving/%s: %s", a->name, strerror(errno));
	return -1;
}

int association_remove(const struct association *a)
{
	int receiving = a->spool->dir[SPOOL_RECEIVING];

	if (assoc_remove_files(a->dir) == 0 && unlinkat(receiving, a->name, AT_REMOVEDIR) == 0)
		return 0;
	log_error("unable to remove receiving/%s: %s", a->name, strerror(errno));
	return -1;
}
