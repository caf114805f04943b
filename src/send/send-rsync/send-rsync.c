/*
 * send-rsync: the sender for targets of type rsync; see send-rsync(8) and dcmspool-sender(7).
 *
 * For each directory that images of the job go to:
 *  1. rsync sends them: by checksum, so that what is there already is not sent, each under a
 * temporary name first; what has the name and other bytes is kept beside.
 *  2. rsync looks again, changing nothing: the images that it finds unchanged are stored. See
 * rsync.h.
 *  3. Of those that are not, rsync's complaint tells whose fault it is; where it does not, an empty
 * file is written to the destination itself.
 */
#include "base/str.h"
#include "dicom/layout.h"
#include "sender/path.h"
#include "deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SUFFIX = 60 };

/* Is the destination there? Returns -1 after having said why not. */
static int look(struct job *j)
{
	int status = rsync_run(&j->rsync, RSYNC_LIST, j->destination.base, NULL);

	if (status > 0 && (strstr(j->rsync.errors.data, "write only") ||
				  strstr(j->rsync.errors.data, "write-only")))
		return 0; /* it only takes, and does not show */
	if (status == RSYNC_OK && j->rsync.out.data[0] == 'd')
		return 0;
	if (status == RSYNC_OK)
		sender_target_failed(&j->sender, "%s is no directory", j->destination.base);
	else if (status == RSYNC_PARTIAL && strstr(j->rsync.errors.data, "No such file"))
		sender_target_failed(
			&j->sender, "%s does not exist; mount it or make it", j->destination.base);
	else
		deliver_failed(j, status);
	return -1;
}

static char *join(const struct layout_path *path)
{
	struct buf b = { 0 };

	buf_puts(&b, "");
	for (size_t i = 0; i + 1 < path->count; i++) {
		char *name = destination_name(path->name[i]);

		buf_printf(&b, "%s%s", i ? "/" : "", name);
		free(name);
	}
	if (b.failed)
		sender_no_memory();
	return b.data;
}

static int by_directory(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = strcmp(x->directory, y->directory);

	return order ? order : x->index < y->index ? -1 : 1;
}

/* Finds out where each image goes. */
static void make_items(struct job *j)
{
	struct layout_path path;
	const char *unfit = NULL;
	char why[256];

	for (size_t i = 0; i < j->sender.count; i++) {
		if (!sender_path(j->sender.image[i].name, &path, why, sizeof(why)))
			deliver_refused(j, i, why);
		else if (sender_marker_expect(j->marker, i, &path, &unfit) < 0)
			deliver_refused(j, i, unfit);
		else
			j->item[j->count++] = (struct item){ i, join(&path) };
		layout_free(&path);
	}
	qsort(j->item, j->count, sizeof(*j->item), by_directory);
}

static void send_all(struct job *j)
{
	for (size_t from = 0, to; from < j->count; from = to) {
		for (to = from + 1; to < j->count &&
				    strcmp(j->item[to].directory, j->item[from].directory) == 0;)
			to++;
		if (deliver(j, &j->item[from], to - from) < 0)
			return;
	}
}

/* The layout is one of directories; an image's name stays as it is in the job. For the library,
 * which knows layouts of files, it gets a last name. */
static void open_layout(void)
{
	static char layout[4096];
	const char *text = sender_need("LAYOUT");
	int n = snprintf(layout, sizeof(layout), "%s/{SOPInstanceUID}.dcm", text);

	if (n < 0 || (size_t)n >= sizeof(layout))
		sender_never("TARGET_LAYOUT is too long");
	if (destination_is_pattern(text))
		sender_never(
			"TARGET_LAYOUT is '%s'; rsync takes * ? [ \\ in it for a pattern", text);
	sender_path_open(layout);
}

static void read_job(struct job *j, char suffix[MAX_SUFFIX + 2])
{
	const char *name = getenv("DCMSPOOL_JOB");

	if (!name)
		name = ""; /* which is none */
	if (!name_ok(name) || strlen(name) > MAX_SUFFIX)
		sender_never("DCMSPOOL_JOB is not the name of a job");
	(void)snprintf(suffix, MAX_SUFFIX + 2, "~%s", name);
	open_layout();
	j->marker = sender_marker_open(&j->sender);
	j->item = calloc(j->sender.count + 1, sizeof(*j->item));
	if (!j->item)
		sender_no_memory();
}

int main(int argc, char *argv[])
{
	struct job j = { .count = 0 };
	bool probing = sender_probing(argc, argv);
	char suffix[MAX_SUFFIX + 2] = "~";

	sender_open(&j.sender, argv[0]);
	destination_open(&j.destination);
	j.rsync.destination = &j.destination;
	j.rsync.suffix = suffix;
	if (!probing)
		read_job(&j, suffix);
	if (look(&j) == 0 && !probing) {
		make_items(&j);
		send_all(&j);
	}
	for (size_t i = 0; i < j.count; i++)
		free(j.item[i].directory);
	free(j.item);
	sender_marker_close(j.marker);
	rsync_close(&j.rsync);
	destination_close(&j.destination);
	return sender_close(&j.sender);
}
