#include "batch.h"

#include "meta.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What STOW-RS carries is a file with a meta header (PS3.18 8.7.3), and what names it is in its
 * data set. Returns NULL when the item was filled, else what is wrong. */
static const char *identify(
	int fd, const struct stat *st, struct batch_item *item, struct dicom_error *error)
{
	int has;

	if (dicom_read_object(fd, &item->object, error) < 0) {
		if (sender_is_own_fault(error->number))
			sender_own_fault("unable to read an image: %s", error->text);
		return error->text;
	}
	has = meta_has(fd);
	if (has < 0)
		return strerror(errno);
	if (!item->object.sop_class[0] || !item->object.instance[0])
		return "the data set has no SOP Class UID or no SOP Instance UID";
	if (has)
		item->object.begin = 0;
	else
		meta_make(&item->object, &item->head);
	if (item->head.failed)
		sender_no_memory();
	item->size = (off_t)item->head.length + st->st_size - item->object.begin;
	return NULL;
}

/* Fills the item, or answers the image as failed and returns -1. */
static int read_image(struct sender *sender, size_t index, struct batch_item *item)
{
	const char *name = sender->image[index].name, *wrong;
	int fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct dicom_error error;
	struct stat st;

	*item = (struct batch_item){ .index = index };
	if (fd < 0 && sender_is_own_fault(errno))
		sender_own_fault("unable to read an image: %s", strerror(errno));
	if (fd < 0 || fstat(fd, &st) < 0)
		wrong = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		wrong = "not a regular file";
	else
		wrong = identify(fd, &st, item, &error);
	if (wrong)
		sender_answer(sender, index, SENDER_FAILED, SENDER_NO_STATUS, wrong);
	if (fd >= 0)
		(void)close(fd); /* only read */
	return wrong ? -1 : 0;
}

static void free_item(struct batch_item *item)
{
	buf_free(&item->head);
}

static bool has_instance(const struct batch *batch, const char *sop_instance)
{
	for (size_t i = 0; i < batch->count; i++)
		if (strcmp(batch->item[i].object.instance, sop_instance) == 0)
			return true;
	return false;
}

/* The fewest setbacks of an image without an answer; -1: there is none. */
static int fewest_setbacks(const struct sender *sender)
{
	int fewest = INT_MAX;

	for (size_t i = 0; i < sender->count; i++)
		if (sender->image[i].answer == SENDER_UNSENT && sender->image[i].setbacks < fewest)
			fewest = sender->image[i].setbacks;
	return fewest == INT_MAX ? -1 : fewest;
}

/* Adds an image. Returns false when it is one too many for size bytes. */
static bool add(struct batch *batch, struct sender *sender, size_t index, off_t size)
{
	struct batch_item *item = &batch->item[batch->count];
	off_t bytes = 0;

	if (read_image(sender, index, item) < 0)
		return true;
	for (size_t i = 0; i < batch->count; i++)
		bytes += batch->item[i].size;
	if (batch->count > 0 && bytes + item->size > size) {
		free_item(item);
		return false;
	}
	if (has_instance(batch, item->object.instance))
		free_item(item); /* goes into the next one */
	else
		batch->count++;
	return true;
}

size_t batch_choose(
	struct batch *batch, struct sender *sender, size_t max, off_t size, size_t alone_from)
{
	size_t n = sender->count;
	int setbacks;

	batch->count = 0;
	while (batch->count == 0 && (setbacks = fewest_setbacks(sender)) >= 0) {
		if (max > BATCH_MAX)
			max = BATCH_MAX;
		if (setbacks > 0)
			max = 1;
		for (size_t k = 0; k < n && batch->count < max; k++) {
			size_t i = setbacks > 0 ? (alone_from + k) % n : k;
			const struct sender_image *image = &sender->image[i];

			if (image->answer == SENDER_UNSENT && image->setbacks == setbacks &&
				!add(batch, sender, i, size))
				break;
		}
	}
	return batch->count;
}

void batch_free(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		free_item(&batch->item[i]);
	batch->count = 0;
}
