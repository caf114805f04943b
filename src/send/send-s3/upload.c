#include "upload.h"

#include "base/clock.h"
#include "base/memory.h"
#include "curl.h"
#include "hash.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So many at once: sha256sum and curl are started for each round, and nothing is sent while it
 * hashes. */
enum { ROUND_MAX = 64 };

struct round {
	struct job *job;
	struct request request[ROUND_MAX];
	size_t image[ROUND_MAX]; /* their images */
	size_t count, replies;
	struct request marker[ROUND_MAX]; /* to be uploaded before its image is answered */
	size_t completing[ROUND_MAX];     /* these images */
	size_t markers;
};

/* The next images. With a limited rate about as many as can be sent in a second. */
static int64_t choose(struct round *r)
{
	struct sender *s = &r->job->sender;
	long rate = r->job->bucket.rate;
	int64_t bytes = 0;
	struct stat st;

	for (size_t i = 0; i < s->count && r->count < ROUND_MAX; i++) {
		if (s->image[i].answer != SENDER_UNSENT)
			continue;
		if (rate && bytes >= rate)
			break;
		if (stat(s->image[i].name, &st) < 0)
			st.st_size = 0; /* hashing it fails */
		bytes += st.st_size;
		r->request[r->count].size = st.st_size;
		r->request[r->count].url = r->job->url[i];
		r->request[r->count].file = s->image[i].name;
		r->image[r->count++] = i;
	}
	return bytes;
}

/* hash_fn */
static void take_hash(void *context, const char *file, const char *sha256)
{
	struct round *r = context;

	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->request[i].file, file) == 0)
			memcpy(r->request[i].sha256, sha256, HASH_SIZE);
}

/* Hashes the images of the round; those that cannot be read fail and leave it. */
static void hash_round(struct round *r)
{
	const char *file[ROUND_MAX];
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++)
		file[i] = r->request[i].file;
	if (hash_files(file, r->count, take_hash, r) < 0)
		sender_no_program("sha256sum");
	for (size_t i = 0; i < r->count; i++) {
		if (!r->request[i].sha256[0]) {
			sender_answer(&r->job->sender, r->image[i], SENDER_FAILED, SENDER_NO_STATUS,
				"this image cannot be read");
			continue;
		}
		r->request[kept] = r->request[i];
		r->image[kept++] = r->image[i];
	}
	r->count = kept;
}

static void answer(
	struct job *job, size_t image, enum sender_answer answer, int status, const char *text)
{
	sender_answer(&job->sender, image, answer, status, text);
}

static bool target_failed(struct job *job, const char *text)
{
	sender_target_failed(&job->sender, "%s: %s", job->bucket.url, text);
	return false;
}

/* The image is there; perhaps its directory is complete now. */
static bool stored(struct round *r, size_t image)
{
	const char *directory = sender_marker_due(r->job->marker, image);
	char *url;

	if (!directory) {
		answer(r->job, image, SENDER_STORED, SENDER_NO_STATUS, "stored");
		return true;
	}
	url = bucket_object(&r->job->bucket, directory, sender_marker_name(r->job->marker));
	if (!url)
		return target_failed(r->job, "out of memory");
	r->marker[r->markers] = (struct request){ .url = url, .sha256 = CURL_SHA256_EMPTY };
	r->completing[r->markers++] = image;
	return true;
}

/* It came to nothing at this image. The others may get through; twice with nothing in between is
 * enough. */
static bool fruitless(struct round *r, const char *text)
{
	if (r->job->barren)
		return target_failed(r->job, text);
	r->job->barren = true;
	(void)snprintf(r->job->why, sizeof(r->job->why), "%s", text);
	return true;
}

/* curl_reply_fn for images */
static bool take_image(void *context, size_t nth, const struct reply *reply)
{
	struct round *r = context;
	char text[UPLOAD_TEXT];
	int status = SENDER_HTTP + reply->status;
	enum reply_meaning meaning = reply_judge(reply, text, sizeof(text));

	r->replies++;
	switch (meaning) {
	case REPLY_TARGET:
		return target_failed(r->job, text);
	case REPLY_BROKEN:
		answer(r->job, r->image[nth], SENDER_DOUBT, SENDER_NO_STATUS, text);
		return fruitless(r, text);
	case REPLY_FULL:
		answer(r->job, r->image[nth], SENDER_FAILED, status, text);
		return fruitless(r, text);
	case REPLY_STORED:
		r->job->barren = false;
		return stored(r, r->image[nth]);
	case REPLY_IMAGE:
		r->job->barren = false;
		answer(r->job, r->image[nth], SENDER_FAILED, status, text);
	}
	return true;
}

/* curl_reply_fn for markers */
static bool take_marker(void *context, size_t nth, const struct reply *reply)
{
	struct round *r = context;
	char text[UPLOAD_TEXT], why[UPLOAD_TEXT + 64];
	enum reply_meaning meaning = reply_judge(reply, text, sizeof(text));

	r->replies++;
	if (meaning != REPLY_STORED && meaning != REPLY_IMAGE)
		return target_failed(r->job, text);
	(void)snprintf(why, sizeof(why), "the marker of its directory was refused: %s", text);
	if (meaning == REPLY_STORED)
		answer(r->job, r->completing[nth], SENDER_STORED, SENDER_NO_STATUS, "stored");
	else
		answer(r->job, r->completing[nth], SENDER_FAILED, SENDER_HTTP + reply->status, why);
	return true;
}

/* curl's own end counts only when there were fewer replies than needed: when there was none, going
 * on would be the same again. */
static void judge_curl(struct round *r, int code, size_t needed)
{
	char text[64];

	if (code < 0)
		sender_no_program("curl");
	(void)snprintf(text, sizeof(text), "curl ended without an answer, status %d", code);
	if (r->replies < needed)
		(void)target_failed(r->job, text); /* unless it has failed for another reason */
}

static void upload_images(struct round *r)
{
	int code;

	if (r->count == 0)
		return;
	code = curl_run(&r->job->bucket, r->request, r->count, -1, take_image, r);
	judge_curl(r, code, 1);
}

static void upload_markers(struct round *r)
{
	char file[MEMORY_PATH_SIZE];
	int empty, code = -1;

	if (r->markers == 0 || r->job->sender.target_failed)
		return;
	empty = memory_file("marker", NULL, 0, false); /* curl must see a file of no bytes */
	memory_path(empty, file);
	for (size_t i = 0; i < r->markers; i++)
		r->marker[i].file = file;
	r->replies = 0;
	if (empty >= 0)
		code = curl_run(&r->job->bucket, r->marker, r->markers, empty, take_marker, r);
	judge_curl(r, code, r->markers);
	if (empty >= 0)
		(void)close(empty); /* memory */
}

/* curl limits the rate within an upload, but not over many small ones. */
static void pace(const struct bucket *bucket, int64_t bytes, int64_t began_ms)
{
	int64_t until_ms;

	if (bucket->rate == 0)
		return;
	until_ms = began_ms + (int64_t)((double)bytes / (double)bucket->rate * 1e3);
	while (clock_left_ms(until_ms) > 0)
		(void)poll(NULL, 0, clock_left_ms(until_ms)); /* a signal only makes it anew */
}

void upload_all(struct job *job)
{
	while (!job->sender.target_failed && job->sender.answered < job->sender.count) {
		struct round r = { .job = job };
		int64_t began_ms = clock_monotonic_ms(), bytes = choose(&r);

		hash_round(&r);
		upload_images(&r);
		upload_markers(&r);
		pace(&job->bucket, bytes, began_ms);
		for (size_t i = 0; i < r.markers; i++)
			free(r.marker[i].url);
	}
	if (job->sender.doubted > 0)
		(void)target_failed(job, job->why); /* unless it has failed for another reason */
}
