/*
 * send-s3: the sender for targets of type s3; see send-s3(8) and dcmspool-sender(7).
 *
 * First every image gets its key. Then, round by round, until each has an answer or the target is
 * given up:
 *  1. Choose the next images without an answer.
 *  2. Hash them. The hash is signed and the server compares it with what it got, so that its
 * success means that the right bytes have arrived.
 *  3. One curl uploads them; each is answered as soon as the server has answered, unless it
 * completes a directory that is to have a marker.
 *  4. Upload these markers, then answer these images.
 */
#define _GNU_SOURCE /* strcasestr */
#include "base/str.h"
#include "sender/path.h"
#include "bucket.h"
#include "curl.h"
#include "upload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NUMBER = 999999 };

static void read_layout(void)
{
	const char *layout = sender_need("LAYOUT");

	sender_path_open(layout);
	if (!strcasestr(layout, "{SOPInstanceUID}"))
		sender_never("TARGET_LAYOUT is '%s'; "
			     "it must have {SOPInstanceUID} in it, "
			     "or one object would take the place of another",
			layout);
}

/* The spool has called a second image with the same UID "UID~2.dcm"; so does the bucket. */
static void number(struct layout_path *path, const char *image)
{
	const char *tilde = strrchr(image, '~');
	size_t digits = tilde ? strspn(tilde + 1, "0123456789") : 0;
	char text[8] = "", **last = &path->name[path->count - 1], *numbered;
	long n;

	if (digits == 0 || digits >= sizeof(text) || strcmp(tilde + 1 + digits, ".dcm") != 0)
		return;
	memcpy(text, tilde + 1, digits);
	if (parse_long(text, 2, MAX_NUMBER, &n) < 0)
		return;
	numbered = layout_numbered(*last, (unsigned)n);
	if (!numbered)
		sender_no_memory();
	free(*last);
	*last = numbered;
}

/* The URL of an image with this path. */
static char *url_of(const struct bucket *bucket, const struct layout_path *path)
{
	struct buf directory = { 0 };
	char *url = NULL;

	buf_puts(&directory, "");
	for (size_t i = 0; i + 1 < path->count; i++)
		buf_printf(&directory, "%s%s", i ? "/" : "", path->name[i]);
	if (!directory.failed)
		url = bucket_object(bucket, directory.data, path->name[path->count - 1]);
	if (!url)
		sender_no_memory();
	buf_free(&directory);
	return url;
}

static void name_image(struct job *job, size_t index)
{
	struct layout_path path;
	const char *unfit = NULL;
	char why[256];

	if (!sender_path(job->sender.image[index].name, &path, why, sizeof(why))) {
		unfit = why;
	} else {
		number(&path, job->sender.image[index].name);
		if (sender_marker_expect(job->marker, index, &path, &unfit) == 0)
			job->url[index] = url_of(&job->bucket, &path);
	}
	if (unfit)
		sender_answer(&job->sender, index, SENDER_FAILED, SENDER_NO_STATUS, unfit);
	layout_free(&path);
}

static void name_all(struct job *job)
{
	job->url = calloc(job->sender.count + 1, sizeof(*job->url));
	if (!job->url)
		sender_no_memory();
	for (size_t i = 0; i < job->sender.count; i++)
		name_image(job, i);
}

/* curl_reply_fn */
static bool take_probe(void *context, size_t nth, const struct reply *reply)
{
	struct job *job = context;
	char text[512];

	(void)nth; /* there is one */
	job->probed = true;
	if (!reply_usable(reply, getenv("DCMSPOOL_JOB") != NULL, text, sizeof(text)))
		sender_target_failed(&job->sender, "%s: %s", job->bucket.url, text);
	return true;
}

/* Lists none of the objects of the bucket: all we want is to be allowed to ask. */
static void probe(struct job *job)
{
	struct request request = { .sha256 = CURL_SHA256_EMPTY };
	struct buf url = { 0 };
	int code;

	buf_printf(&url, "%s?list-type=2&max-keys=0", job->bucket.url);
	if (url.failed)
		sender_no_memory();
	request.url = url.data;
	code = curl_run(&job->bucket, &request, 1, -1, take_probe, job);
	if (code < 0)
		sender_no_program("curl");
	if (!job->probed)
		sender_target_failed(&job->sender, "curl ended without an answer, status %d", code);
	buf_free(&url);
}

int main(int argc, char *argv[])
{
	struct job job = { 0 };

	sender_open(&job.sender, argv[0]);
	bucket_open(&job.bucket);
	read_layout();
	job.marker = sender_marker_open(&job.sender);
	if (sender_probing(argc, argv)) {
		probe(&job);
	} else {
		name_all(&job);
		upload_all(&job);
	}
	for (size_t i = 0; job.url && i < job.sender.count; i++)
		free(job.url[i]);
	free(job.url);
	sender_marker_close(job.marker);
	bucket_close(&job.bucket);
	return sender_close(&job.sender);
}
