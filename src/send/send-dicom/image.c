#include "image.h"

#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void images_begin(struct images *images, struct sender *sender)
{
	free(images->image);
	images->sender = sender;
	images->padding_told = false;
	images->image = calloc(sender->count ? sender->count : 1, sizeof(struct image));
	if (!images->image)
		sender_no_memory();
}

void images_close(struct images *images)
{
	for (size_t i = 0; i < images->names; i++)
		free(images->name[i]);
	free(images->image);
	free(images->name);
	*images = (struct images){ 0 };
}

static bool fail(struct images *images, size_t index, const char *what, const char *reason)
{
	char text[384];

	(void)snprintf(text, sizeof(text), "%s: %s", what, reason); /* a longer reason is cut */
	sender_answer(images->sender, index, SENDER_FAILED, SENDER_NO_STATUS, text);
	return false;
}

/* By its file name, which is its UID wherever the spool has filed it (STATES.md): UID.dcm,
 * UID~2.dcm. */
static void name_instance(const char *name, char out[DICOM_UID_SIZE])
{
	size_t length = strcspn(name, "~");
	const char *end = strstr(name, ".dcm");

	if (end && (size_t)(end - name) < length)
		length = (size_t)(end - name);
	if (length < DICOM_UID_SIZE) {
		memcpy(out, name, length);
		out[length] = '\0';
	}
}

bool image_open(struct images *images, size_t index, int fd, struct image_file *file)
{
	const char *name = images->sender->image[index].name, *wrong = NULL;
	struct dicom_object *o = &file->object;
	struct dicom_error error;
	struct stat st;

	file->fd = fd >= 0 ? fd : open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file->fd < 0 || fstat(file->fd, &st) < 0) {
		if (sender_is_own_fault(errno))
			sender_own_fault("unable to read an image: %s", strerror(errno));
		(void)fail(images, index, "unable to read the image", strerror(errno));
		goto failed;
	}
	if (!S_ISREG(st.st_mode)) {
		wrong = "it is no regular file";
	} else if (dicom_read_object(file->fd, o, &error) < 0) {
		wrong = error.text;
	} else {
		if (!o->instance[0])
			name_instance(name, o->instance);
		file->length = st.st_size - o->begin;
		if (file->length <= 0)
			wrong = "it has no data set";
		else if (!o->sop_class[0])
			wrong = "it has no SOP class UID, neither in its data set nor before it";
		else if (!uid_ok(o->instance))
			wrong = "it has no SOP instance UID";
	}
	if (!wrong)
		return true;
	(void)fail(images, index, "the image cannot be sent", wrong);
failed:
	if (file->fd >= 0)
		(void)close(file->fd); /* only read */
	return false;
}

/* The number of a UID in names; -1 without memory. */
static long intern(struct images *images, const char *uid)
{
	size_t i = 0;

	while (i < images->names && strcmp(images->name[i], uid) != 0)
		i++;
	if (i < images->names)
		return (long)i;
	if (i > UINT16_MAX)
		return -1;
	if ((i & (i - 1)) == 0) { /* full at each power of two, and at 0 */
		char **more = realloc(images->name, (i ? 2 * i : 1) * sizeof(*more));

		if (!more)
			return -1;
		images->name = more;
	}
	images->name[i] = strdup(uid);
	if (!images->name[i])
		return -1;
	images->names++;
	return (long)i;
}

static void tell_padding(struct images *images, size_t index)
{
	if (images->padding_told)
		return;
	log_info("zeros behind the last element are sent as they lie; told once a job image=%s",
		images->sender->image[index].name);
	images->padding_told = true;
}

bool image_look(struct images *images, size_t index)
{
	struct image *image = &images->image[index];
	long sop_class, syntax;
	struct image_file file;

	if (image->known)
		return true;
	if (!image_open(images, index, -1, &file))
		return false;
	(void)close(file.fd); /* only read */
	if (file.object.note)
		log_warning("%s image=%s", file.object.note, images->sender->image[index].name);
	if (file.object.padded)
		tell_padding(images, index);
	sop_class = intern(images, file.object.sop_class);
	syntax = intern(images, file.object.syntax);
	if (sop_class < 0 || syntax < 0)
		sender_no_memory();
	image->sop_class = (uint16_t)sop_class;
	image->syntax = (uint16_t)syntax;
	image->known = true;
	return true;
}
