#include "sender/path.h"

#include "base/jsonfile.h"
#include "dicom/dicom.h"
#include "dicom/layout.h"
#include "sender/sender.h"
#include "spool/series.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *layout;
static json_t *series; /* series.json of the job, or NULL: its values are "" then */

static const struct {
	const char *keyword, *key;
} association[] = {
	{ "SenderAET", "calling_aet" },
	{ "ReceiverAET", "called_aet" },
	{ "SenderAddress", "peer" },
};
enum { OF_ASSOCIATION = sizeof(association) / sizeof(association[0]) };

/* The key in series.json of what is no tag of the image, or NULL. */
static const char *association_key(const char *keyword)
{
	for (size_t i = 0; i < OF_ASSOCIATION; i++)
		if (strcasecmp(keyword, association[i].keyword) == 0)
			return association[i].key;
	return NULL;
}

/* layout_value_fn */
static const char *value_of(const void *context, const char *keyword)
{
	const char *key = association_key(keyword);

	if (key)
		return jsonfile_text(series_sender(series), key);
	return dicom_get(context, keyword);
}

/* Has the tags read that the layout names. */
static void want_tags(void)
{
	struct dicom_want_error error;
	char keyword[128];

	for (const char *p = strchr(layout, '{'); p; p = strchr(p, '{')) {
		size_t n = strcspn(++p, "}");

		if (n >= sizeof(keyword))
			sender_never(
				"TARGET_LAYOUT is '%s'; a {Keyword} in it is too long", layout);
		memcpy(keyword, p, n);
		keyword[n] = '\0';
		if (!association_key(keyword) && dicom_tag_index(keyword) < 0 &&
			dicom_want(keyword, &error) < 0)
			sender_never("TARGET_LAYOUT is '%s': %s", layout, error.text);
	}
}

void sender_path_open(const char *text)
{
	char why[256];

	layout = text;
	if (layout_check(layout, why, sizeof(why)) < 0)
		sender_never("%s", why);
	want_tags();
	series = sender_series(); /* without it: "unknown" */
}

void sender_path_again(void)
{
	json_decref(series);
	series = sender_series();
}

/* What is missing here is not the image's fault. */
static bool unreadable(int error, const char *text, char *why, size_t size)
{
	if (sender_is_own_fault(error))
		sender_own_fault("unable to read the images: %s", text);
	(void)snprintf(why, size, "%s", text);
	return false;
}

bool sender_path(const char *image, struct layout_path *path, char *why, size_t size)
{
	struct dicom_header header = { 0 };
	struct dicom_error error = { 0 };
	int fd = openat(AT_FDCWD, image, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	bool readable;

	*path = (struct layout_path){ 0 };
	if (fd < 0)
		return unreadable(errno, strerror(errno), why, size);
	readable = dicom_read_header(fd, &header, &error) == 0;
	if (!readable)
		(void)unreadable(error.number, error.text, why, size);
	else if (layout_expand(layout, value_of, &header, path) < 0)
		sender_no_memory();
	dicom_header_free(&header);
	(void)close(fd); /* only read */
	return readable;
}
