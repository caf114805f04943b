#include "spool/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/str.h"
#include "dicom/json.h"
#include "spool/series.h"

const char *image_objection(const struct dicom_header *header)
{
	if (dicom_no_image(header))
		return dicom_no_image(header);
	if (!*dicom_get(header, "SeriesInstanceUID"))
		return "has no SeriesInstanceUID (0020,000E)";
	if (!uid_ok(dicom_get(header, "SeriesInstanceUID")))
		return "its SeriesInstanceUID (0020,000E) is not a UID (PS3.5 9.1)";
	if (!*dicom_get(header, "SOPInstanceUID"))
		return "has no SOPInstanceUID (0008,0018)";
	if (!uid_ok(dicom_get(header, "SOPInstanceUID")))
		return "its SOPInstanceUID (0008,0018) is not a UID (PS3.5 9.1)";
	return NULL;
}

json_t *image_series(const struct dicom_header *header, int64_t received_us, json_t *sender)
{
	json_t *tags = dicom_json(header), *series;

	series_tag_sender(tags, sender);
	/* Any failure above or here leaves series NULL or incomplete only when memory is short. */
	series = series_make(received_us, sender, tags);
	if (series && dicom_json_problems(series, header) == 0)
		return series;
	json_decref(series);
	errno = ENOMEM;
	return NULL;
}

/* Where the data set begins: behind preamble and file meta information, as storescp writes them
 * (PS3.10 7.1: the group length comes first); 0 where these are missing. */
static off_t data_set_at(int fd)
{
	static const char expected[] = { 'D', 'I', 'C', 'M', 2, 0, 0, 0, 'U', 'L', 4, 0 };
	unsigned char head[128 + sizeof(expected) + 4], *length = head + sizeof(head) - 4;

	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
		memcmp(head + 128, expected, sizeof(expected)) != 0)
		return 0;
	return (off_t)sizeof(head) + length[0] + ((off_t)length[1] << 8) +
	       ((off_t)length[2] << 16) + ((off_t)length[3] << 24);
}

int image_is_same(const struct dicom_header *header, int fd, int dir, const char *name)
{
	int there = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), result = 0;
	struct dicom_header other;
	struct dicom_error error;

	if (there < 0)
		return -1;
	if (dicom_read_header(there, &other, &error) == 0 &&
		strcmp(dicom_get(&other, "TransferSyntaxUID"),
			dicom_get(header, "TransferSyntaxUID")) == 0)
		result = disk_same_bytes(fd, data_set_at(fd), there, data_set_at(there));
	dicom_header_free(&other);
	(void)close(there); /* only read */
	return result;
}
