/*
 * send-dicomweb: the sender for targets of type dicomweb; see send-dicomweb(8) and
 * dcmspool-sender(7).
 *
 * Requests of STOW-RS (PS3.18 10.5), one after the other, until each image has an answer or the
 * target is given up. Where the outcome of a request leaves images without an answer, they go alone
 * from then on, after all others. Alone, one fails when its request is refused, and is in doubt
 * when the target breaks at it or does not mention it: whose failure that is, the dispatcher
 * decides.
 */
#define _GNU_SOURCE /* asprintf */
#include "base/log.h"
#include "base/run.h"
#include "sender/sender.h"
#include "answer.h"
#include "batch.h"
#include "body.h"
#include "redirect.h"
#include "request.h"
#include "verdict.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_S = 60, MAX_TIMEOUT_S = 3600, WHY = 512, MOVES = 4 };
/* So many requests in a row that come to nothing are enough; one that only time ended counts
 * twice. */
enum { BREAKS = 4, TIME_OUT = 28 /* of curl(1) */ };
/* Why an image goes alone, in this order. */
enum { SETBACK_REFUSED = 1, SETBACK_BROKEN = 2 };
#define DEFAULT_REQUEST_SIZE 100000000L /* bytes */
#define MAX_BYTES            1000000000000L

struct dicomweb {
	struct sender sender;
	struct request_target target;
	off_t request_size;
	size_t most;   /* images in a request */
	int moves;     /* redirections that were followed */
	int breaks;    /* so many requests in a row came to nothing */
	char why[WHY]; /* the last of them */
	bool give_up;  /* sender_target_failed() has been told why */
};

/* No text that ends one line of curl's configuration, or of the request, and begins another. */
static void check_text(const char *name, const char *text)
{
	if (text && text_has_control(text))
		sender_never("TARGET_%s has a control character in it", name);
}

static char *copy_of(const char *text, size_t length)
{
	char *copy = strndup(text, length);

	if (!copy)
		sender_no_memory();
	return copy;
}

/* The same as dcmspool.conf(5) allows. Returns it without the slash at its end, in memory never
 * freed. */
static const char *read_url(void)
{
	const char *url = sender_need("URL");
	size_t scheme = strncmp(url, "http://", 7) == 0    ? 7
			: strncmp(url, "https://", 8) == 0 ? 8
							   : 0;
	size_t length = strlen(url);

	check_text("URL", url);
	if (!scheme || strpbrk(url, " \"\\<>^`{|}?#") || strcspn(url + scheme, "/") == 0)
		sender_never("TARGET_URL is '%s'; it must be like https://HOST/dicom-web", url);
	if (memchr(url + scheme, '@', strcspn(url + scheme, "/")))
		sender_never("TARGET_URL has a user in it; use username and password_file");
	while (url[length - 1] == '/')
		length--;
	return copy_of(url, length);
}

static void read_credentials(struct request_target *t)
{
	char *token;

	t->username = sender_setting("USERNAME", NULL);
	t->password = sender_secret("PASSWORD_FILE");
	token = request_token();
	t->bearer = token != NULL;
	free(token);
	check_text("USERNAME", t->username);
	check_text("PASSWORD_FILE", t->password);
	if (t->bearer && (t->username || t->password))
		sender_never("both a token and a user are set; "
			     "take out token_file, or username and password_file");
	if (!t->username != !t->password)
		sender_never("one of username and password_file is missing; set both or none");
	if (t->username && strchr(t->username, ':'))
		sender_never("TARGET_USERNAME has a colon in it, which HTTP cannot tell");
}

static void read_settings(struct dicomweb *d)
{
	struct request_target *t = &d->target;

	t->url = read_url();
	if (asprintf(&t->store, "%s/studies", t->url) < 0)
		sender_no_memory();
	t->ca_file = sender_setting("CA_FILE", NULL);
	check_text("CA_FILE", t->ca_file);
	if (t->ca_file && access(t->ca_file, R_OK) < 0)
		sender_never("unable to read %s (TARGET_CA_FILE): %s", t->ca_file, strerror(errno));
	t->timeout_s = sender_number("TIMEOUT", 1, MAX_TIMEOUT_S, DEFAULT_TIMEOUT_S);
	t->rate_limit = sender_number("RATE_LIMIT", 0, MAX_BYTES, 0);
	d->request_size = sender_number("REQUEST_SIZE", 1, MAX_BYTES, DEFAULT_REQUEST_SIZE);
	d->most = BATCH_MAX;
	read_credentials(t);
}

/* Without a line an image was not sent: so those that broken requests had are in doubt. */
static void give_up(struct dicomweb *d, const char *why)
{
	for (size_t i = 0; i < d->sender.count; i++)
		if (d->sender.image[i].setbacks & SETBACK_BROKEN)
			sender_answer(&d->sender, i, SENDER_DOUBT, SENDER_NO_STATUS, why);
	sender_target_failed(&d->sender, "%s", why);
	d->give_up = true;
}

/* Those of the batch without an answer go alone from now on. */
static void set_back(struct dicomweb *d, const struct batch *batch, int setback)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct sender_image *image = &d->sender.image[batch->item[i].index];

		if (image->answer == SENDER_UNSENT)
			image->setbacks |= setback;
	}
}

static void fail_one(struct dicomweb *d, size_t index, int status, const char *why)
{
	log_warning("the target does not take this image image=%s", d->sender.image[index].name);
	sender_answer(&d->sender, index, SENDER_FAILED, status, why);
}

/* A request came to nothing. Others may get through, but not for ever. */
static void count_break(struct dicomweb *d, const char *why)
{
	(void)snprintf(d->why, sizeof(d->why), "%s", why);
	if (++d->breaks >= BREAKS)
		give_up(d, why);
}

/* It may be the fault of an image in the batch, or the target's. */
static void broken(struct dicomweb *d, const struct batch *batch, const char *why)
{
	if (batch->count == 1)
		sender_answer(
			&d->sender, batch->item[0].index, SENDER_DOUBT, SENDER_NO_STATUS, why);
	else
		set_back(d, batch, SETBACK_BROKEN);
	count_break(d, why);
}

/* The target has no room, or says so of one image that is more than it can do. */
static void no_room(struct dicomweb *d, const struct batch *batch, int http, const char *why)
{
	if (batch->count == 1) {
		fail_one(d, batch->item[0].index, SENDER_HTTP + http, why);
	} else {
		set_back(d, batch, SETBACK_REFUSED);
	}
	count_break(d, why);
}

/* Smaller requests may do; an image that is too large by itself cannot be helped. */
static void too_large(struct dicomweb *d, const struct batch *batch, int http, const char *why)
{
	if (batch->count == 1)
		fail_one(d, batch->item[0].index, SENDER_HTTP + http, why);
	else
		d->most = batch->count / 2;
}

static void refused(struct dicomweb *d, const struct batch *batch, int http, const char *why)
{
	if (batch->count == 1)
		fail_one(d, batch->item[0].index, SENDER_HTTP + http, why);
	else
		set_back(d, batch, SETBACK_REFUSED);
	d->breaks = 0;
}

/* The content of the answer counts, image by image; the status only says of whom it says nothing.
 */
static void answered(struct dicomweb *d, const struct batch *batch, const struct request_result *r,
	const char *why)
{
	size_t before = d->sender.answered;
	bool is_response = answer_read(&d->sender, batch, &r->answer);
	size_t told = d->sender.answered - before;
	char text[WHY];

	if (told > 0)
		d->breaks = 0;
	if (told == batch->count)
		return;
	if (r->http >= 300) {
		refused(d, batch, r->http, why);
		return;
	}
	if (is_response)
		(void)snprintf(text, sizeof(text), "%s: the answer does not mention the image",
			d->target.url);
	else
		(void)snprintf(text, sizeof(text),
			"%s: the answer does not tell what became of the images (HTTP %d, "
			"content type '%s')",
			d->target.url, r->http, r->type);
	broken(d, batch, text);
}

static void judge(struct dicomweb *d, const struct batch *batch, const struct request_result *r)
{
	char why[WHY];

	switch (verdict_post(&d->target, r, why, sizeof(why))) {
	case VERDICT_ANSWERED:
		answered(d, batch, r, why);
		break;
	case VERDICT_REFUSED:
		refused(d, batch, r->http, why);
		break;
	case VERDICT_TOO_LARGE:
		too_large(d, batch, r->http, why);
		break;
	case VERDICT_NO_ROOM:
		no_room(d, batch, r->http, why);
		break;
	case VERDICT_BROKEN:
		d->breaks += r->code == TIME_OUT || r->code > RUN_SIGNALLED;
		broken(d, batch, why);
		break;
	case VERDICT_DOWN:
		give_up(d, why);
	}
}

/* From now on images go to where the service has moved. False: it has not, or not to where we
 * follow. */
static bool moved(struct dicomweb *d, const struct request_result *r)
{
	if (d->moves == MOVES || !redirect_ok(r->http, d->target.store, r->location))
		return false;
	d->moves++;
	free(d->target.store);
	d->target.store = copy_of(r->location, strlen(r->location));
	log_info("%s has moved to %s; set url to that", d->target.url, r->location);
	return true;
}

/* One request. The images of a redirected one are chosen again. */
static void send_batch(struct dicomweb *d, const struct batch *batch)
{
	size_t max = ANSWER_BASE + batch->count * ANSWER_PER_IMAGE;
	struct request_result result = { 0 };
	struct body body;

	if (body_open(&body, &d->sender, batch) < 0)
		sender_own_fault("unable to send: no random numbers: %s", strerror(errno));
	if (request_post(&d->target, &body, max, &result) < 0)
		sender_no_program("curl");
	if (result.body == BODY_UNREADABLE && sender_is_own_fault(body.error))
		sender_own_fault("unable to read an image: %s", strerror(body.error));
	if (result.body == BODY_UNREADABLE) {
		sender_answer(&d->sender, batch->item[body.next - 1].index, SENDER_FAILED,
			SENDER_NO_STATUS,
			body.error ? strerror(body.error)
				   : "the file became shorter while it was sent");
	} else if (!moved(d, &result)) {
		judge(d, batch, &result);
	}
	body_close(&body);
	request_free(&result);
}

/* Where to look for the image that goes alone next. After a break it is far from the one before:
 * bad ones are often neighbours, and the good one is sought that tells them from a target that is
 * down. */
static size_t alone_from(const struct dicomweb *d)
{
	return d->sender.count * (size_t)d->breaks / BREAKS;
}

/* Ends when all images have their answer or the target is given up. */
static void send_all(struct dicomweb *d)
{
	struct batch batch = { 0 };

	while (!d->give_up &&
		batch_choose(&batch, &d->sender, d->most, d->request_size, alone_from(d)) > 0) {
		send_batch(d, &batch);
		batch_free(&batch);
	}
}

static void probe(struct dicomweb *d)
{
	struct request_result result = { 0 };
	char why[WHY];

	if (request_probe(&d->target, &result) < 0)
		sender_no_program("curl");
	else if (verdict_probe(&d->target, &result, why, sizeof(why)) == VERDICT_DOWN)
		give_up(d, why);
	request_free(&result);
}

int main(int argc, char *argv[])
{
	struct dicomweb d = { 0 };

	sender_open(&d.sender, argv[0]);
	(void)signal(SIGPIPE, SIG_IGN); /* curl may end before it has taken all; cannot fail */
	read_settings(&d);
	if (sender_probing(argc, argv))
		probe(&d);
	else
		send_all(&d);
	if (d.sender.doubted > 0)
		sender_target_failed(&d.sender, "%s", d.why); /* unless it was told already */
	free(d.target.password);
	free(d.target.store);
	free((char *)d.target.url);
	return sender_close(&d.sender);
}
