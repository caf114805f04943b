/*
 * tags: what the rules see of an image.
 */
#include "decide/impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "dicom/json.h"

int decide_read(int dir, const char *image, struct dicom_header *header)
{
	/* A FIFO that somebody put there must not keep us waiting. */
	int fd = openat(dir, image, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct dicom_error error = { .number = errno };
	int result = -1;

	*header = (struct dicom_header){ 0 };
	if (fd >= 0) {
		result = dicom_read_header(fd, header, &error);
		(void)close(fd); /* only read */
	}
	if (result == 0)
		return 0;
	dicom_header_free(header);
	/* What is no file at all never becomes one. */
	if (error.number == 0 || error.number == ELOOP || error.number == ENXIO ||
		error.number == EISDIR)
		return 1;
	errno = error.number;
	return -1;
}

json_t *decide_make_tags(const struct dicom_header *header, const json_t *series)
{
	static const char *const sender[] = { "SenderAddress", "SenderAET", "ReceiverAET",
		"SenderCertificate" };
	const json_t *known = json_object_get(series, "tags");
	json_t *tags = dicom_json(header);

	for (size_t i = 0; tags && i < sizeof(sender) / sizeof(sender[0]); i++) {
		const char *text = json_string_value(json_object_get(known, sender[i]));

		if (json_object_set_new(tags, sender[i], json_string(text ? text : "")) == 0)
			continue;
		json_decref(tags);
		tags = NULL;
	}
	if (!tags)
		errno = ENOMEM;
	return tags;
}

json_t *decide_tags(int dir, const char *image, const json_t *series)
{
	struct dicom_header header = { 0 };
	json_t *tags;

	if (image && decide_read(dir, image, &header) < 0)
		return NULL;
	tags = decide_make_tags(&header, series);
	dicom_header_free(&header);
	return tags;
}

const char *decide_tag(const void *tags, const char *name)
{
	json_t *object = (json_t *)tags, *value; /* jansson iterates only over what is not const */
	const char *key, *text = json_string_value(json_object_get(object, name));

	if (text)
		return text;
	json_object_foreach (object, key, value) {
		if (strcasecmp(key, name) == 0 && json_is_string(value))
			return json_string_value(value);
	}
	return "";
}
